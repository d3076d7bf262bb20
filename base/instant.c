/* Dates are counted in eras of 400 years, which all have the same 146097 days, and in years that
 * begin on 1 March, so that the leap day is the last of its year (Hinnant, "chrono-compatible
 * low-level date algorithms"). */
#include "base/instant.h"

#include "base/check.h"

#define DAYS_PER_ERA  146097
#define YEARS_PER_ERA 400

/* Days from 0000-03-01, where an era begins, to 1970-01-01. */
#define EPOCH_DAY 719468

/* 0000-01-01T00:00:00.000Z, the first instant that has a text. */
#define INSTANT_MIN (-INT64_C(719528) * MS_PER_DAY)

int64_t days_from_civil(int year, unsigned month, unsigned day)
{
    int64_t shifted = (int64_t)year - (month <= 2);
    int64_t era = (shifted >= 0 ? shifted : shifted - (YEARS_PER_ERA - 1)) / YEARS_PER_ERA;
    int64_t year_of_era = shifted - era * YEARS_PER_ERA;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year;
    int64_t day_of_era;

    OD_CHECK(month >= 1);
    OD_CHECK(month <= 12);
    OD_CHECK(day >= 1);
    OD_CHECK(day <= days_of_month(year, month));
    day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - EPOCH_DAY;
}

void civil_from_days(int64_t days, int *year, unsigned *month, unsigned *day)
{
    int64_t shifted = days + EPOCH_DAY;
    int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;

    *day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = (int)(year_of_era + era * YEARS_PER_ERA + (*month <= 2));
}

unsigned days_of_month(int year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    OD_CHECK(month >= 1);
    OD_CHECK(month <= 12);
    return days[month - 1] + (leap && month == 2 ? 1u : 0u);
}

unsigned weekday_from_days(int64_t days)
{
    /* 1970-01-01 was a Thursday. */
    int64_t weekday = (days % 7 + 7 + 4) % 7;

    return (unsigned)weekday;
}

/* Takes `count` digits from the front of the text. Returns false if there are not that many. */
static bool take_digits(struct slice *text, unsigned count, unsigned *out)
{
    unsigned value = 0;

    if (text->size < count) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned digit = (unsigned)(unsigned char)text->data[i] - '0';

        if (digit > 9) {
            return false;
        }
        value = value * 10 + digit;
    }
    *text = slice_make(text->data + count, text->size - count);
    *out = value;
    return true;
}

/* Takes one character from the front of the text. Returns false if it is another or none. */
static bool take(struct slice *text, char character)
{
    if (text->size == 0 || text->data[0] != character) {
        return false;
    }
    *text = slice_make(text->data + 1, text->size - 1);
    return true;
}

/* Takes YYYY-MM-DD, a date that the calendar has. */
static bool take_date(struct slice *text, unsigned *year, int64_t *days)
{
    unsigned month;
    unsigned day;

    if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, &month) ||
        !take(text, '-') || !take_digits(text, 2, &day)) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_of_month((int)*year, month)) {
        return false;
    }
    *days = days_from_civil((int)*year, month, day);
    return true;
}

/* Takes the digits behind the point; those behind the third count for nothing. */
static bool take_fraction(struct slice *text, unsigned *milliseconds)
{
    unsigned scale = 100;
    unsigned digit;
    bool any = false;

    *milliseconds = 0;
    while (take_digits(text, 1, &digit)) {
        *milliseconds += digit * scale;
        scale /= 10;
        any = true;
    }
    return any;
}

/* Takes HH:MM[:SS[.fraction]] as milliseconds since midnight. */
static bool take_time(struct slice *text, int64_t *out)
{
    unsigned hour;
    unsigned minute;
    unsigned second = 0;
    unsigned milliseconds = 0;

    if (!take_digits(text, 2, &hour) || !take(text, ':') || !take_digits(text, 2, &minute)) {
        return false;
    }
    if (take(text, ':')) {
        if (!take_digits(text, 2, &second)) {
            return false;
        }
        if (take(text, '.') && !take_fraction(text, &milliseconds)) {
            return false;
        }
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *out = hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * MS_PER_SECOND + milliseconds;
    return true;
}

/* Takes Z, ±HH:MM, ±HHMM or ±HH (ISO 8601, 4.2.5.1) as milliseconds east of UTC. */
static bool take_offset(struct slice *text, int64_t *out)
{
    bool west;
    unsigned hours;
    unsigned minutes = 0;

    if (take(text, 'Z')) {
        *out = 0;
        return true;
    }
    west = take(text, '-');
    if (!west && !take(text, '+')) {
        return false;
    }
    if (!take_digits(text, 2, &hours)) {
        return false;
    }
    if ((take(text, ':') || !slice_is_empty(*text)) && !take_digits(text, 2, &minutes)) {
        return false;
    }
    if (hours > 23 || minutes > 59) {
        return false;
    }
    *out = hours * MS_PER_HOUR + minutes * MS_PER_MINUTE;
    if (west) {
        *out = -*out;
    }
    return true;
}

/* Takes the whole of a text, of a year from `first_year` on and not before the instant `first`. */
static bool parse_from(struct slice text, unsigned first_year, int64_t first, int64_t *out)
{
    unsigned year;
    int64_t days;
    int64_t time_ms;
    int64_t offset_ms;
    int64_t at;

    if (!take_date(&text, &year, &days) || !take(&text, 'T') || !take_time(&text, &time_ms) ||
        !take_offset(&text, &offset_ms) || !slice_is_empty(text)) {
        return false;
    }
    at = days * MS_PER_DAY + time_ms - offset_ms;
    if (year < first_year || at < first || at > INSTANT_MAX) {
        return false;
    }
    *out = at;
    return true;
}

bool instant_parse(struct slice text, int64_t *out)
{
    return parse_from(text, 1970, 0, out);
}

bool instant_parse_any(struct slice text, int64_t *out)
{
    return parse_from(text, 1, days_from_civil(1, 1, 1) * MS_PER_DAY, out);
}

bool instant_parse_date(struct slice text, int32_t *days)
{
    unsigned year;
    int64_t value;

    if (!take_date(&text, &year, &value) || year < 1 || !slice_is_empty(text)) {
        return false;
    }
    *days = (int32_t)value;
    return true;
}

/* Writes `count` digits and the character behind them. Returns what follows. */
static char *put_digits(char *out, unsigned value, unsigned count, char behind)
{
    for (unsigned i = count; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    out[count] = behind;
    return out + count + 1;
}

void instant_print(int64_t at, char out[INSTANT_TEXT_SIZE])
{
    int64_t days;
    int64_t rest;
    int year;
    unsigned month;
    unsigned day;
    unsigned ms;

    if (at == INSTANT_NEVER) {
        memcpy(out, "never", sizeof("never"));
        return;
    }
    at = at > INSTANT_MAX ? INSTANT_MAX : at < INSTANT_MIN ? INSTANT_MIN : at;
    rest = at % MS_PER_DAY;
    rest = rest < 0 ? rest + MS_PER_DAY : rest;
    days = (at - rest) / MS_PER_DAY;
    ms = (unsigned)rest;
    civil_from_days(days, &year, &month, &day);
    out = put_digits(out, (unsigned)year, 4, '-');
    out = put_digits(out, month, 2, '-');
    out = put_digits(out, day, 2, 'T');
    out = put_digits(out, ms / MS_PER_HOUR, 2, ':');
    out = put_digits(out, ms / MS_PER_MINUTE % 60, 2, ':');
    out = put_digits(out, ms / MS_PER_SECOND % 60, 2, '.');
    out = put_digits(out, ms % MS_PER_SECOND, 3, 'Z');
    *out = '\0';
}
