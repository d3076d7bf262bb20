/* What a simulation has exercised. A fault that never happens would be a finding. */
#ifndef OUTDIAL_TESTS_SIM_COUNTS_H
#define OUTDIAL_TESTS_SIM_COUNTS_H

#define SIM_COUNTS(COUNT)                                                                          \
    COUNT(SEEDS, "seeds")                                                                          \
    COUNT(USUAL_SEEDS, "of the usual kind")                                                        \
    COUNT(WIDE_SEEDS, "with audiences of many contacts")                                           \
    COUNT(LARGE_SEEDS, "with thousands of executions")                                             \
    COUNT(STEPS, "steps")                                                                          \
    COUNT(MESSAGES, "messages handled")                                                            \
    COUNT(COMMITS, "commits")                                                                      \
    COUNT(CRASH_BEFORE, "crashes before a commit was carried out")                                 \
    COUNT(CRASH_UNHEARD, "crashes after a commit, before it was heard of")                         \
    COUNT(CRASH_RELEASING, "crashes while answers were let out")                                   \
    COUNT(CRASH_FILLING, "crashes with a batch half filled")                                       \
    COUNT(REBOOTS, "of these with a clock that began anew")                                        \
    COUNT(DISK_FULL, "commits refused by a full disk")                                             \
    COUNT(DISK_DYING, "commits refused by a dying disk")                                           \
    COUNT(DISK_SLOW, "spells of a slow disk")                                                      \
    COUNT(CLOCK_BACK, "wall clock set back")                                                       \
    COUNT(CLOCK_AHEAD, "wall clock set ahead")                                                     \
    COUNT(CLOCK_GAPS, "times that the process stood still")                                        \
    COUNT(REQUESTS, "requests of clients")                                                         \
    COUNT(REFUSED, "of these refused")                                                             \
    COUNT(UNAVAILABLE, "of these answered 503")                                                    \
    COUNT(UNANSWERED, "of these never answered, by a crash")                                       \
    COUNT(REPLAYED, "keyed requests answered from a kept response")                                \
    COUNT(FOREIGN, "requests with another tenant's id")                                            \
    COUNT(WEB_SEEDS, "seeds in which clients come over HTTP")                                      \
    COUNT(WEB, "requests over HTTP")                                                               \
    COUNT(WEB_BATCHES, "of these batches of events")                                               \
    COUNT(WEB_READS, "of these reads")                                                             \
    COUNT(WEB_EXACT, "executions that were read, and compared counter by counter")                 \
    COUNT(WEB_NONSENSE, "of these nonsense")                                                       \
    COUNT(WEB_CLAIMS_LATE, "claims that got calls just as they were given up")                     \
    COUNT(TWINS, "keyed requests sent twice at once")                                              \
    COUNT(CLIENTS_GONE, "clients that went while their request was under way")                     \
    COUNT(GIVEN_BACK, "claims that reached nobody, given back at once")                            \
    COUNT(NO_MEMORY, "processes that ended for want of memory")                                    \
    COUNT(TRACES, "traces replayed to the digest of the store")                                    \
    COUNT(TRACES_CUT, "traces of which a part was replayed, as the end was torn off")              \
    COUNT(TRACES_ENDED, "traces that ended well, by a drain")                                      \
    COUNT(DRAINS, "drains")                                                                        \
    COUNT(EXECUTIONS, "executions")                                                                \
    COUNT(EXECUTIONS_LIVE, "of these in live mode")                                                \
    COUNT(COMPLETED, "of these completed")                                                         \
    COUNT(CANCELLED, "of these cancelled")                                                         \
    COUNT(STOPPED, "of these stopped")                                                             \
    COUNT(REMOVED, "of these removed after their time")                                            \
    COUNT(PAUSED, "pauses")                                                                        \
    COUNT(PAUSED_THRESHOLD, "pauses by a rule")                                                    \
    COUNT(PAUSED_NO_CREDITS, "pauses for want of credits")                                         \
    COUNT(PAUSED_NO_DID, "pauses for want of a DID")                                               \
    COUNT(RESUMED, "resumes")                                                                      \
    COUNT(SHARED, "batches in which organisations competed for a gateway")                         \
    COUNT(QUEUED, "calls queued")                                                                  \
    COUNT(CLAIMED, "calls claimed")                                                                \
    COUNT(PERMITTED, "permissions to dial")                                                        \
    COUNT(REFUSED_WINDOW, "permissions refused: pause window")                                     \
    COUNT(REFUSED_CONTACT, "permissions refused: contact deleted or do-not-call")                  \
    COUNT(DUPLICATE, "events answered duplicate")                                                  \
    COUNT(STALE, "events answered stale")                                                          \
    COUNT(UNKNOWN, "events answered unknown")                                                      \
    COUNT(RELEASED, "calls given back")                                                            \
    COUNT(LAPSED, "leases that ended")                                                             \
    COUNT(ENDED, "calls ended")                                                                    \
    COUNT(IN_DOUBT, "of these in doubt")                                                           \
    COUNT(UNDELIVERABLE, "of these undeliverable")                                                 \
    COUNT(LATE, "late outcomes")                                                                   \
    COUNT(RETRIES, "retries")                                                                      \
    COUNT(SKIPPED, "contacts skipped")                                                             \
    COUNT(FIRED, "triggers fired")                                                                 \
    COUNT(WORKERS_DIED, "workers that died with their claims")                                     \
    COUNT(CHECKS, "checks of the whole store")

enum count {

#define COUNT(constant, text) COUNT_##constant,
    SIM_COUNTS(COUNT)
#undef COUNT
        COUNTS
};

#endif
