#include "tests/fuzz/api_world_rows.h"

#include <stddef.h>

#define ID "00000000-0000-7000-8000-000000000"

/* Names of the other organisation (110) begin with "Elsewhere": no answer to the first may show
 * one.
 */
const struct api_world_step api_world_steps[] = {
    {100, "POST /api/organizations", 0, 0,
     "{\"name\":\"Atlas\",\"timezone\":\"Africa/Casablanca\",\"credits\":1000}"},
    {110, "POST /api/organizations", 0, 0, "{\"name\":\"Elsewhere\"}"},
    {120, "POST /api/organizations/:id/api-keys", 0, 0, "{\"name\":\"Org\",\"role\":\"org\"}"},
    {200, "POST /api/dids", 0, 0, "{\"number\":\"+212500000200\"}"},
    {201, "POST /api/dids", 0, 0,
     "{\"number\":\"+212500000201\",\"status\":\"inactive\",\"organizationId\":\"" ID "100\"}"},
    {202, "POST /api/dids", 0, 0,
     "{\"number\":\"+212500000202\",\"organizationId\":\"" ID "110\"}"},
    {300, "POST /api/custom-attributes", 0, 0, "{\"name\":\"city\",\"type\":\"string\"}"},
    {301, "POST /api/custom-attributes", 0, 0, "{\"name\":\"age\",\"type\":\"number\"}"},
    {302, "POST /api/custom-attributes", 0, 0, "{\"name\":\"vip\",\"type\":\"boolean\"}"},
    {303, "POST /api/custom-attributes", 0, 0, "{\"name\":\"birthday\",\"type\":\"date\"}"},
    {304, "POST /api/custom-attributes", 0, 0, "{\"name\":\"visit\",\"type\":\"date\"}"},
    {400, "POST /api/contacts", 0, 0,
     "{\"primaryPhone\":\"+212600000400\",\"firstName\":\"Nadia\",\"customAttributes\":"
     "{\"city\":\"Fes\",\"age\":41.5,\"vip\":true,\"birthday\":\"1985-02-28\"}}"},
    {401, "POST /api/contacts", 0, 0,
     "{\"primaryPhone\":\"+212600000401\",\"timezone\":\"Europe/Paris\"}"},
    {402, "POST /api/contacts", 0, 0, "{\"primaryPhone\":\"+212600000402\",\"doNotCall\":true}"},
    {403, "POST /api/contacts", 0, 0,
     "{\"primaryPhone\":\"+212600000403\",\"fullName\":\"N. O.\"}"},
    {410, "POST /api/contacts", 0, 110,
     "{\"primaryPhone\":\"+212600000410\",\"fullName\":\"Elsewhere\"}"},
    {500, "POST /api/audiences", 0, 0, "{\"name\":\"Customers\"}"},
    {501, "POST /api/audiences", 0, 0, "{\"name\":\"Birthdays\"}"},
    {510, "POST /api/audiences", 0, 110, "{\"name\":\"Elsewhere\"}"},
    {0, "POST /api/audiences/:id/contacts", 0, 0,
     "{\"contactIds\":[\"" ID "400\",\"" ID "401\",\"" ID "402\",\"" ID "403\"]}"},
    {600, "POST /api/flows", 0, 0,
     "{\"name\":\"Survey\",\"nodes\":[{\"id\":\"ask\",\"type\":\"menu\"},{\"id\":\"end\","
     "\"type\":\"hangup\"}],\"startNode\":\"ask\"}"},
    {601, "POST /api/flows", 0, 0, "{\"name\":\"Unknown\"}"},
    {610, "POST /api/flows", 0, 110, "{\"name\":\"Elsewhere\"}"},
    {700, "POST /api/programs", 0, 0,
     "{\"name\":\"Autumn\",\"flowId\":\"" ID "600\",\"didPool\":[\"" ID
     "200\"],\"audienceId\":\"" ID
     "500\",\"retryStrategy\":{\"type\":\"fixed_delay\",\"delayMinutes\":30,\"maxRetries\":2},"
     "\"autoPauseRules\":[{\"nodeId\":\"ask\",\"threshold\":5,\"resetOnResume\":true}]}"},
    {701, "POST /api/programs", 0, 0,
     "{\"name\":\"Wishes\",\"flowId\":\"" ID "601\",\"didPool\":[\"" ID "200\"],\"mode\":\"live\","
     "\"audienceId\":\"" ID "501\",\"triggerCondition\":{\"attributeName\":\"birthday\","
     "\"recurrence\":\"yearly\",\"timeOfDay\":{\"hour\":9,\"minute\":30}},\"gateway\":\"worker\"}"},
    {702, "POST /api/programs", 0, 0,
     "{\"name\":\"Old\",\"flowId\":\"" ID "601\",\"didPool\":[\"" ID "200\"],\"audienceId\":\"" ID
     "500\"}"},
    {0, "PATCH /api/programs/:id", 2, 0, "{\"status\":\"archived\"}"},
    {703, "POST /api/programs", 0, 0,
     "{\"name\":\"Now\",\"flowId\":\"" ID "600\",\"didPool\":[\"" ID "200\"],\"audienceId\":\"" ID
     "500\",\"gateway\":\"worker\",\"pauseWindows\":{\"sunday\":[{\"startAt\":{\"hour\":0,"
     "\"minute\":0},\"endAt\":{\"hour\":23,\"minute\":59}}]},\"pacing\":"
     "{\"callsPerSecond\":100},\"autoPauseRules\":[{\"nodeId\":\"end\",\"threshold\":2,"
     "\"resetOnResume\":false}]}"},
    {803, "POST /api/programs/:id/launch", 3, 0, ""},
    {801, "POST /api/programs/:id/launch", 1, 0, ""},
    {900, "POST /api/calls/claim", 0, 0, "{\"max\":1,\"waitMs\":5000,\"gateway\":\"worker\"}"},
    {0, NULL, 0, 0, NULL},
};
