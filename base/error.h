/* The errors of the program: operating errors as negative codes with a text that each layer may
 * prefix, and the faults that the interface answers with a name and an HTTP status. */
#ifndef OUTDIAL_BASE_ERROR_H
#define OUTDIAL_BASE_ERROR_H

#include "base/limits.h"

/* Operating errors: X(constant, code, text). They start at -101, so that a stray -1 or errno is
 * seen as unknown instead of taken for one of them. */
#define OD_ERROR_CODES(X)                                                                          \
    X(OD_OK, 0, "ok")                                                                              \
    X(OD_ENOMEM, -101, "out of memory")                                                            \
    X(OD_EIO, -102, "input or output failed")                                                      \
    X(OD_EFULL, -103, "disk or map full")                                                          \
    X(OD_ENOTFOUND, -104, "not found")                                                             \
    X(OD_ECORRUPT, -105, "corrupt data")                                                           \
    X(OD_EVERSION, -106, "written by another version")                                             \
    X(OD_ELOCKED, -107, "in use by another process")                                               \
    X(OD_EINVAL, -108, "invalid argument")                                                         \
    X(OD_EPANIC, -109, "store must be reopened")                                                   \
    X(OD_EAGAIN, -110, "try again")

#define OD_ERROR_CONSTANT(constant, code, text) constant = (code),

enum od_error_code { OD_ERROR_CODES(OD_ERROR_CONSTANT) };

#undef OD_ERROR_CONSTANT

/* Returns the text of an operating error, "unknown error" for a number that is none. Static. */
const char *od_error_text(int code);

/* What a person reads about an operating error: the outermost layer first, as in
 * "store: open: /var/lib/outdial: permission denied". Valid only after an error was returned. */
struct od_error {
    char text[OD_ERROR_TEXT_SIZE];
};

/* Sets the text and returns `code`, which is an error, so that a failing function can end with
 * it. `e` may be NULL. Text beyond the limit is cut at a whole character of UTF-8. The arguments
 * may point into `e`. */
int od_error_set(struct od_error *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts the formatted text and ": " in front of the text of `e`. `e` may be NULL. */
void od_error_prefix(struct od_error *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Faults of the interface: X(constant, HTTP status, name in the body of the answer). */
#define FAULT_CODES(X)                                                                             \
    X(FAULT_NONE, 200, "")                                                                         \
    X(FAULT_VALIDATION, 400, "ValidationError")                                                    \
    X(FAULT_BAD_REQUEST, 400, "BadRequestException")                                               \
    X(FAULT_DID_NOT_ACTIVE, 400, "DidNotActiveError")                                              \
    X(FAULT_DID_NOT_ACCESSIBLE, 400, "DidNotAccessibleError")                                      \
    X(FAULT_EXECUTION_ALREADY_RUNNING, 400, "ExecutionAlreadyRunningError")                        \
    X(FAULT_AUDIENCE_EMPTY, 400, "AudienceEmptyError")                                             \
    X(FAULT_EMPTY_DID_POOL, 400, "EmptyDidPoolError")                                              \
    X(FAULT_INVALID_EXECUTION_STATE, 400, "InvalidExecutionStateError")                            \
    X(FAULT_UNAUTHORIZED, 401, "UnauthorizedError")                                                \
    X(FAULT_FORBIDDEN, 403, "ForbiddenError")                                                      \
    X(FAULT_ORGANIZATION_NOT_FOUND, 404, "OrganizationNotFoundError")                              \
    X(FAULT_API_KEY_NOT_FOUND, 404, "ApiKeyNotFoundError")                                         \
    X(FAULT_CUSTOM_ATTRIBUTE_NOT_FOUND, 404, "CustomAttributeNotFoundError")                       \
    X(FAULT_CONTACT_NOT_FOUND, 404, "ContactNotFoundError")                                        \
    X(FAULT_AUDIENCE_NOT_FOUND, 404, "AudienceNotFoundError")                                      \
    X(FAULT_DID_NOT_FOUND, 404, "DidNotFoundError")                                                \
    X(FAULT_FLOW_NOT_FOUND, 404, "FlowNotFoundError")                                              \
    X(FAULT_PROGRAM_NOT_FOUND, 404, "ProgramNotFoundError")                                        \
    X(FAULT_EXECUTION_NOT_FOUND, 404, "ExecutionNotFoundError")                                    \
    X(FAULT_CALL_NOT_FOUND, 404, "CallNotFoundError")                                              \
    X(FAULT_ROUTE_NOT_FOUND, 404, "RouteNotFoundError")                                            \
    X(FAULT_METHOD_NOT_ALLOWED, 405, "MethodNotAllowedError")                                      \
    X(FAULT_CONFLICT, 409, "ConflictError")                                                        \
    X(FAULT_PROGRAM_STATUS_CONFLICT, 409, "ProgramStatusConflictError")                            \
    X(FAULT_PAYLOAD_TOO_LARGE, 413, "PayloadTooLargeError")                                        \
    X(FAULT_UNSUPPORTED_MEDIA_TYPE, 415, "UnsupportedMediaTypeError")                              \
    X(FAULT_IDEMPOTENCY_KEY_REUSED, 422, "IdempotencyKeyReusedError")                              \
    X(FAULT_RATE_LIMITED, 429, "RateLimitedError")                                                 \
    X(FAULT_HEADER_FIELDS_TOO_LARGE, 431, "HeaderFieldsTooLargeError")                             \
    X(FAULT_INTERNAL, 500, "InternalError")                                                        \
    X(FAULT_NOT_IMPLEMENTED, 501, "NotImplementedError")                                           \
    X(FAULT_UNAVAILABLE, 503, "UnavailableError")

#define FAULT_CONSTANT(constant, status, name) constant,

enum fault_code { FAULT_CODES(FAULT_CONSTANT) };

#undef FAULT_CONSTANT

/* Returns the HTTP status of a fault; 200 for FAULT_NONE. */
int fault_status(enum fault_code code);

/* Returns the name of a fault as in the `error` of an answer; "" for FAULT_NONE. Static. */
const char *fault_name(enum fault_code code);

#endif
