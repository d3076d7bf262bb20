/* Instants: milliseconds since 1970-01-01T00:00:00Z, without leap seconds, in an int64_t. Their
 * text in ISO 8601, and the dates of the proleptic Gregorian calendar. */
#ifndef OUTDIAL_BASE_INSTANT_H
#define OUTDIAL_BASE_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define MS_PER_SECOND INT64_C(1000)
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR   (60 * MS_PER_MINUTE)
#define MS_PER_DAY    (24 * MS_PER_HOUR)

/* Later than every instant. */
#define INSTANT_NEVER INT64_MAX

/* 9999-12-31T23:59:59.999Z, the last instant that has a text. */
#define INSTANT_MAX INT64_C(253402300799999)

/* Characters of an instant's text and its NUL. */
#define INSTANT_TEXT_SIZE 25

/* Reads YYYY-MM-DDTHH:MM[:SS[.fraction]] followed by Z or by ±HH:MM, ±HHMM or ±HH, and by nothing
 * else. The fraction has one digit or more, of which those behind the milliseconds are dropped.
 * Refused are lower-case t and z, second 60, hour 24, a year outside 1970 to 9999, and an offset
 * that leads outside the instants from 0 to INSTANT_MAX. Returns false, and leaves `out` as it was,
 * for anything else. */
bool instant_parse(struct slice text, int64_t *out);

/* The same from 0001-01-01T00:00:00Z on (negative before 1970): what somebody's date may be, such
 * as the hour of a birth. */
bool instant_parse_any(struct slice text, int64_t *out);

/* Prints as in 2026-11-23T20:53:57.123Z, with a NUL; INSTANT_NEVER as "never". What lies outside
 * the years 0000 to 9999 is printed as the nearest instant within. */
void instant_print(int64_t at, char out[INSTANT_TEXT_SIZE]);

/* Reads a date YYYY-MM-DD that the calendar has, year 0001 to 9999, as days since 1970-01-01
 * (negative before). Returns false, and leaves `days` as it was, for anything else. */
bool instant_parse_date(struct slice text, int32_t *days);

/* Returns `at` plus `delta_ms` (either sign). What cannot be held stays at the end of the range,
 * of which the upper is INSTANT_NEVER, and INSTANT_NEVER stays what it is whatever is added. */
static inline int64_t instant_add(int64_t at, int64_t delta_ms)
{
    int64_t sum;

    if (at == INSTANT_NEVER) {
        return INSTANT_NEVER;
    }
    if (__builtin_add_overflow(at, delta_ms, &sum)) {
        return delta_ms > 0 ? INSTANT_NEVER : INT64_MIN;
    }
    return sum;
}

/* Returns the days from 1970-01-01 to a date (negative before). The month is 1 to 12, the day
 * one that the month has. */
int64_t days_from_civil(int year, unsigned month, unsigned day);

/* The inverse, for years that an int can hold. */
void civil_from_days(int64_t days, int *year, unsigned *month, unsigned *day);

/* Returns the days of a month, 28 to 31. */
unsigned days_of_month(int year, unsigned month);

/* Returns the day of the week, 0 is Sunday. */
unsigned weekday_from_days(int64_t days);

#endif
