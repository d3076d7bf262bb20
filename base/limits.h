/* The limits of the program, each with its reason. A limit of one module alone stays there. */
#ifndef OUTDIAL_BASE_LIMITS_H
#define OUTDIAL_BASE_LIMITS_H

#include <stdint.h>

/* Bytes of a name or another short text: the interface allows 255 characters, and a character
 * of UTF-8 has up to 4 bytes. */
#define OD_TEXT_MAX 1020

/* Bytes of an error's text with all its prefixes and the NUL: a path of usual length and a
 * sentence fit; more is cut, as nobody reads it. */
#define OD_ERROR_TEXT_SIZE 512

/* Bytes of a log line with its newline: PIPE_BUF of Linux, up to which a write to a pipe is not
 * mixed with the writes of others. Longer lines are cut. */
#define OD_LOG_LINE_MAX 4096

/* Attempts of one contact in one execution, as a call id has 12 bits for them. The interface
 * allows 21, so this is reached by a defect only. */
#define OD_ATTEMPT_MAX 4095

/* Executions of one store, as a call id has 48 bits for their number. */
#define OD_EXECUTION_MAX ((UINT64_C(1) << 48) - 1)

/* Contacts of one execution, as a call id has 40 bits for their number. */
#define OD_ENTRY_MAX ((UINT64_C(1) << 40) - 1)

#endif
