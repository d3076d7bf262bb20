#include "model/phone.h"

enum { PHONE_DIGITS_MIN = 7, PHONE_DIGITS_MAX = 15 };

static bool is_punctuation(char c)
{
    return c == ' ' || c == '.' || c == '-' || c == '(' || c == ')';
}

bool phone_normalise(struct slice text, char out[PHONE_TEXT_SIZE])
{
    char number[PHONE_TEXT_SIZE];
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (is_punctuation(c)) {
            continue;
        }
        /* The plus comes first, then digits of which the first is not 0. */
        if (size == 0 ? c != '+' : c < (size == 1 ? '1' : '0') || c > '9') {
            return false;
        }
        if (size == 1 + PHONE_DIGITS_MAX) {
            return false;
        }
        number[size] = c;
        size++;
    }
    if (size < 1 + PHONE_DIGITS_MIN) {
        return false;
    }
    number[size] = '\0';
    memcpy(out, number, size + 1);
    return true;
}
