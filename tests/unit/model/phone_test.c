#include "model/phone.h"

#include "tests/support/od_test.h"

/* A row is a sentence of api.md: "`+` and 7 to 15 digits; spaces, dots, dashes and parentheses are
 * dropped". `normal` NULL: refused. */
static const struct {
    const char *sentence;
    const char *text;
    const char *normal;
} cases[] = {
    {"a normal number stays", "+15550100", "+15550100"},
    {"spaces, dots, dashes and parentheses are dropped", " +1 (555) 010-0.1 ", "+155501001"},
    {"punctuation may come before the plus", "(+44) 20 7946 0000", "+442079460000"},
    {"7 digits are enough", "+1234567", "+1234567"},
    {"6 digits are too few", "+123456", NULL},
    {"15 digits are allowed", "+123456789012345", "+123456789012345"},
    {"16 digits are too many", "+1234567890123456", NULL},
    {"16 digits are too many, whatever stands between", "+1234567890-12345-6", NULL},
    {"no plus", "15550100", NULL},
    {"00 is no plus", "0015550100", NULL},
    {"a country code does not start with 0", "+0123456789", NULL},
    {"two pluses", "++15550100", NULL},
    {"a plus at the end", "15550100+", NULL},
    {"a plus in between", "+1555+0100", NULL},
    {"letters", "+1555CALLNOW", NULL},
    {"an extension", "+15550100;ext=1", NULL},
    {"a tab is no space", "+1555\t0100", NULL},
    {"a no-break space is no space",
     "+1555\xc2\xa0"
     "0100",
     NULL},
    {"digits of another script", "+\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6\xd9\xa7", NULL},
    {"empty", "", NULL},
    {"only punctuation", " (-.) ", NULL},
    {"only a plus", "+", NULL},
};

static void numbers_are_normalised_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[PHONE_TEXT_SIZE] = "untouched";
        bool is_number = phone_normalise(slice_from(cases[i].text), out);
        const char *expected = cases[i].normal != NULL ? cases[i].normal : "untouched";

        if (is_number != (cases[i].normal != NULL) || strcmp(out, expected) != 0) {
            fail_msg("%s: %s", cases[i].sentence, out);
        }
    }
}

static void a_nul_within_is_refused(void **state)
{
    char out[PHONE_TEXT_SIZE];

    (void)state;
    assert_false(phone_normalise(SLICE("+1555\0"
                                       "0100"),
                                 out));
    assert_false(phone_normalise(slice_make(NULL, 0), out));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_are_normalised_or_refused),
    cmocka_unit_test(a_nul_within_is_refused),
};

OD_TEST_MAIN(tests)
