#include "model/attribute.h"

#include "base/instant.h"

static bool is_date(struct slice text)
{
    int32_t days;
    int64_t at;

    return instant_parse_date(text, &days) || instant_parse_any(text, &at);
}

const char *attribute_fault(enum attribute_type type, const struct attribute_value *value)
{
    bool is_text = value->type == ATTRIBUTE_STRING || value->type == ATTRIBUTE_DATE;

    switch (type) {
    case ATTRIBUTE_STRING: return is_text ? NULL : "must be a string";
    case ATTRIBUTE_NUMBER: return value->type == type ? NULL : "must be a number";
    case ATTRIBUTE_BOOLEAN: return value->type == type ? NULL : "must be a boolean";
    case ATTRIBUTE_DATE:
        return is_text && is_date(value->text)
                   ? NULL
                   : "must be a date (YYYY-MM-DD or an ISO 8601 time with an offset)";
    }
    return "has a type that is not known";
}
