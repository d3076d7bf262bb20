#include "model/names.h"

#include "tests/support/od_test.h"
#include "tests/unit/model/defect.h"

/* An enum's two functions. Values and pointers to them are passed as the unsigned integers that
 * these enums are compatible with. */
struct vocabulary {
    const char *what;
    const char *(*name)(unsigned value);
    bool (*from)(struct slice text, unsigned *out); /* NULL: only one way */
    const char *words[9];                           /* by value; NULL ends them */
    unsigned first;                                 /* the value of the first word */
};

/* The words of api.md. */
static const struct vocabulary vocabularies[] = {
    {"role", role_name, role_from, {"admin", "org", "worker"}, ROLE_ADMIN},
    {"DID status", did_status_name, did_status_from, {"active", "inactive"}, DID_ACTIVE},
    {"attribute type",
     attribute_type_name,
     attribute_type_from,
     {"string", "number", "boolean", "date"},
     ATTRIBUTE_STRING},
    {"program mode", program_mode_name, program_mode_from, {"batch", "live"}, MODE_BATCH},
    {"program status",
     program_status_name,
     program_status_from,
     {"draft", "active", "archived"},
     PROGRAM_DRAFT},
    {"retry type",
     retry_type_name,
     retry_type_from,
     {"none", "fixed_delay", "scheduled"},
     RETRY_NONE},
    {"execution status",
     execution_status_name,
     execution_status_from,
     {"scheduled", "running", "paused", "paused_no_credits", "paused_threshold", "completed",
      "stopped", "cancelled"},
     EXECUTION_SCHEDULED},
    {"contact status in an execution",
     entry_status_name,
     entry_status_from,
     {"pending", "pending_retry", "queued", "in_call", "completed", "failed", "skipped"},
     ENTRY_PENDING},
    {"outcome",
     outcome_name,
     outcome_from,
     {"answered", "voicemail", "busy", "no_answer", "rejected", "error", "timeout"},
     OUTCOME_ANSWERED},
    {"call status", call_status_name, NULL, {"queued", "claimed", "started", "ended"}, CALL_QUEUED},
    {"trigger status",
     trigger_status_name,
     trigger_status_from,
     {"pending", "fired", "missed", "cancelled"},
     TRIGGER_PENDING},
    {"recurrence", recurrence_name, NULL, {"once", "yearly"}, RECURRENCE_ONCE},
    {"weekday",
     weekday_name,
     NULL,
     {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"},
     0},
};

#define VOCABULARIES (sizeof(vocabularies) / sizeof(vocabularies[0]))

static void each_value_has_its_word_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < VOCABULARIES; i++) {
        const struct vocabulary *words = &vocabularies[i];

        for (unsigned k = 0; words->words[k] != NULL; k++) {
            unsigned value = UINT16_MAX;

            assert_string_equal(words->name(words->first + k), words->words[k]);
            if (words->from != NULL) {
                assert_true(words->from(slice_from(words->words[k]), &value));
                assert_int_equal(value, words->first + k);
            }
        }
    }
}

static void another_text_is_no_word_and_writes_nothing(void **state)
{
    static const char *const texts[] = {"", "ADMIN", "org ", "pending_", "pendin", "none\n", "0"};

    (void)state;
    for (size_t i = 0; i < VOCABULARIES; i++) {
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
            unsigned value = 1;

            if (vocabularies[i].from != NULL) {
                assert_false(vocabularies[i].from(slice_from(texts[k]), &value));
                assert_int_equal(value, 1);
            }
        }
    }
}

struct name_call {
    const struct vocabulary *words;
    unsigned value;
};

static void call_name(const void *argument)
{
    const struct name_call *call = argument;

    (void)call->words->name(call->value);
}

static void a_value_outside_of_its_enum_is_a_defect(void **state)
{
    (void)state;
    for (size_t i = 0; i < VOCABULARIES; i++) {
        const struct vocabulary *words = &vocabularies[i];
        struct name_call call = {words, words->first};

        while (call.value - words->first < 9 && words->words[call.value - words->first] != NULL) {
            call.value++;
        }
        assert_true(is_defect(call_name, &call));
        call.value = words->first - 1;
        assert_true(is_defect(call_name, &call));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_value_has_its_word_both_ways),
    cmocka_unit_test(another_text_is_no_word_and_writes_nothing),
    cmocka_unit_test(a_value_outside_of_its_enum_is_a_defect),
};

OD_TEST_MAIN(tests)
