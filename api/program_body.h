/* Reading the settings in a program's body (api.md, "Programs"): what has a grammar of its own.
 * Each function adds a fault for everything that is wrong, with its path, and names unknown
 * properties.
 */
#ifndef OUTDIAL_API_PROGRAM_BODY_H
#define OUTDIAL_API_PROGRAM_BODY_H

#include "api/body.h"
#include "model/records.h"

/* Each reads the property of its name. When it is given, *out is written; when it is null, *out is
 * set to what an absent one means. */
enum property program_read_retry(struct body_value *root, struct retry_strategy *out);
enum property program_read_pacing(struct body_value *root, struct pacing_settings *out);
enum property program_read_windows(struct body_value *root, bool *has, struct pause_windows *out);

/* didPool: 1 to DID_POOL_MAX distinct ids. */
enum property program_read_pool(struct body_value *root, enum property_rule rule,
                                struct program *out);

/* `rule` is that of a program in live mode. */
enum property program_read_trigger(struct body_value *root, enum property_rule rule,
                                   struct trigger_condition *out);

#endif
