/* Checks of what must be true whatever the input: on in every build, because a program that goes
 * on after a broken assumption harms people and data. */
#ifndef OUTDIAL_BASE_CHECK_H
#define OUTDIAL_BASE_CHECK_H

/* Aborts with "file:line: condition" on stderr unless `cond` holds. For defects only: bad input
 * and failing resources have return values. One condition a check, so that the line tells all. */
#define OD_CHECK(cond)                                                                             \
    (__builtin_expect(!(cond), 0) ? od_check_failed(__FILE__, __LINE__, #cond) : (void)0)

/* Writes the line of a broken check to stderr and aborts. Called by OD_CHECK, and where a place
 * should not be reached at all. */
_Noreturn void od_check_failed(const char *file, int line, const char *condition);

#endif
