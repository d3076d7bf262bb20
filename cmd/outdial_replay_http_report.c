/* What a drive came to, as text and as JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "cmd/outdial_replay.h"
#include "cmd/outdial_replay_http_account.h"
#include "cmd/outdialctl.h"

static const char *const event_words[] = {"started", "node_executed", "result", "released"};
static const char *const status_words[] = {"accepted", "duplicate", "stale",     "refused",
                                           "unknown",  "invalid",   "unanswered"};

/* What was not driven, with its name in JSON and for people. */
struct reason {
    const char *name, *text;
    uint64_t count;
};

enum { REASONS = 6 };

static void list_reasons(const struct account *account, struct reason out[REASONS])
{
    const struct reason reasons[REASONS] = {
        {"daemon", "messages that a daemon sends itself (ticks, later slices, …)",
         account->senders[SENDER_DAEMON]},
        {"gateway", "events of a gateway within the daemon", account->senders[SENDER_GATEWAY]},
        {"claims", "claims: they are made as calls are needed", account->senders[SENDER_CLAIM]},
        {"keys", "API keys", account->senders[SENDER_KEYS]},
        {"notThere", "messages that need what is not there", account->not_there},
        {"neverOffered", "events of calls that the daemon did not offer", account->never_offered},
    };

    for (unsigned i = 0; i < REASONS; i++) {
        out[i] = reasons[i];
    }
}

static uint64_t wanted(const struct account *account)
{
    return account->senders[SENDER_CLIENT] + account->senders[SENDER_WORKER];
}

static uint64_t driven(const struct account *account)
{
    uint64_t missed = account->not_there + account->never_offered;

    return wanted(account) > missed ? wanted(account) - missed : 0;
}

static double rate(const struct account *account, uint64_t count)
{
    return account->seconds > 0 ? (double)count / account->seconds : 0;
}

/* The sum of all kinds; the caller's. */
static struct kind_account *add_all(const struct account *account)
{
    struct kind_account *all = memory_zero(1, sizeof(*all));

    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        const struct histogram *from = &account->kinds[kind].latencies;

        all->latencies.count += from->count;
        all->latencies.sum += from->sum;
        if (from->maximum > all->latencies.maximum) {
            all->latencies.maximum = from->maximum;
        }
        for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
            all->latencies.buckets[i] += from->buckets[i];
        }
        for (unsigned i = 0; i < STATUSES && account->kinds[kind].statuses[i].count > 0; i++) {
            const struct status_count *status = &account->kinds[kind].statuses[i];
            unsigned at = 0;

            while (at < STATUSES - 1 && all->statuses[at].count > 0 &&
                   all->statuses[at].status != status->status) {
                at++;
            }
            all->statuses[at].status = status->status;
            all->statuses[at].count += status->count;
        }
    }
    return all;
}

/* ---- text ---- */

static void print_kinds(const struct account *account, const struct kind_account *all)
{
    print_latency_head("request");
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        if (account->kinds[kind].latencies.count > 0) {
            print_latency_row(kind_name(kind), &account->kinds[kind].latencies);
        }
    }
    print_latency_row("all", &all->latencies);
    print_latency_columns(&all->latencies);
    (void)printf("\nanswers ");
    for (unsigned i = 0; i < STATUSES && all->statuses[i].count > 0; i++) {
        (void)printf(" %ld: %s", all->statuses[i].status, CTL_NUMBER(all->statuses[i].count));
    }
    (void)printf("\n");
}

static void print_refusals(const struct account *account)
{
    for (size_t i = 0; i < account->refusal_count; i++) {
        const struct refusal *refusal = &account->refusals[i];

        (void)printf("  %s %s: %ld ", CTL_NUMBER(refusal->count), kind_name(refusal->kind),
                     refusal->status);
        ctl_print_clean(refusal->error, 0);
        (void)printf(" (");
        ctl_print_clean(refusal->example, 0);
        (void)printf(")\n");
    }
}

static void print_events(const struct account *account)
{
    for (unsigned event = 0; event < TOLD_COUNT; event++) {
        bool has_name = false;

        for (unsigned status = 0; status < TOLD_STATUSES; status++) {
            if (account->events[event][status] == 0) {
                continue;
            }
            if (!has_name) {
                (void)printf("%-14s", event_words[event]);
                has_name = true;
            }
            (void)printf(" %s: %s", status_words[status],
                         CTL_NUMBER(account->events[event][status]));
        }
        if (has_name) {
            (void)printf("\n");
        }
    }
    if (account->events_again > 0) {
        (void)printf("%s events were sent again, under another claim\n",
                     CTL_NUMBER(account->events_again));
    }
}

static void print_calls(const struct account *account)
{
    (void)printf("calls    %s claimed, %s ended, %.0f a second\n",
                 CTL_NUMBER(account->calls_claimed), CTL_NUMBER(account->calls_ended),
                 rate(account, account->calls_ended));
    if (account->calls_redelivered > 0) {
        (void)printf("         %s were claimed again\n", CTL_NUMBER(account->calls_redelivered));
    }
    if (account->calls_unmentioned > 0) {
        (void)printf("         %s were claimed, and the trace says nothing of them\n",
                     CTL_NUMBER(account->calls_unmentioned));
    }
    if (account->calls_foreign > 0) {
        (void)printf("         %s were claimed that are not of the trace\n",
                     CTL_NUMBER(account->calls_foreign));
    }
    if (account->calls_never_offered > 0) {
        (void)printf("         %s of the trace were not offered\n",
                     CTL_NUMBER(account->calls_never_offered));
    }
}

static void print_otherwise(const struct account *account)
{
    if (!account_differs(account)) {
        (void)printf("\nnothing was answered otherwise than the trace tells\n");
        return;
    }
    (void)printf("\notherwise than the trace tells:\n");
    if (account->refused_otherwise > 0) {
        (void)printf("  %s requests were refused\n", CTL_NUMBER(account->refused_otherwise));
    }
    if (account->taken_otherwise > 0) {
        (void)printf("  %s requests were taken\n", CTL_NUMBER(account->taken_otherwise));
    }
    for (unsigned i = 0; i < TOLD_COUNT; i++) {
        if (account->events_otherwise[i] > 0) {
            (void)printf("  %s %s\n", CTL_NUMBER(account->events_otherwise[i]), event_words[i]);
        }
    }
    if (account->not_there > 0) {
        (void)printf("  %s messages need what is not there\n", CTL_NUMBER(account->not_there));
    }
    if (account->never_offered > 0) {
        (void)printf("  %s events had no call\n", CTL_NUMBER(account->never_offered));
    }
}

static void print_head(const struct account *account, const struct account_of *of)
{
    (void)printf("trace    %s: of outdial %.*s, %s\n", of->file, SLICE_ARGS(of->header->program),
                 of->header->is_raw ? "raw" : "pseudonyms");
    (void)printf("daemon   %s, %s clock\n", of->url, account->has_test_clock ? "test" : "real");
    if (account->first_at != 0) {
        char from[INSTANT_TEXT_SIZE], to[INSTANT_TEXT_SIZE];

        instant_print(account->first_at, from);
        instant_print(account->last_at, to);
        (void)printf("times    %s to %s\n", from, to);
    }
    (void)printf("messages %s, of which %s are of clients and workers and %s were driven\n",
                 CTL_NUMBER(account->messages), CTL_NUMBER(wanted(account)),
                 CTL_NUMBER(driven(account)));
    (void)printf("took     %.3f s, %s requests, %.0f requests/s\n", account->seconds,
                 CTL_NUMBER(account->requests), rate(account, account->requests));
}

int account_print(const struct account *account, const struct account_of *of)
{
    struct kind_account *all = add_all(account);
    struct reason reasons[REASONS];

    print_head(account, of);
    print_calls(account);
    list_reasons(account, reasons);
    (void)printf("not driven\n");
    for (unsigned i = 0; i < REASONS; i++) {
        if (reasons[i].count > 0) {
            (void)printf("  %s %s\n", CTL_NUMBER(reasons[i].count), reasons[i].text);
        }
    }
    if (account->left_out > 0) {
        (void)printf("  ids that are not there were left out of %s lists\n",
                     CTL_NUMBER(account->left_out));
    }
    if (all->latencies.count > 0) {
        print_kinds(account, all);
    }
    if (account->waits > 0) {
        (void)printf("%s were told to come again, and waited\n", CTL_NUMBER(account->waits));
    }
    print_refusals(account);
    print_events(account);
    print_otherwise(account);
    memory_free(all);
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : -1;
}

/* ---- JSON ---- */

static void put(json_t *object, const char *name, json_t *value)
{
    OD_CHECK(value != NULL && json_object_set_new(object, name, value) == 0);
}

static void put_count(json_t *object, const char *name, uint64_t count)
{
    put(object, name, json_integer((json_int_t)count));
}

static void put_statuses(json_t *object, const struct kind_account *kind)
{
    json_t *statuses = json_object();
    char name[24];

    for (unsigned i = 0; i < STATUSES && kind->statuses[i].count > 0; i++) {
        (void)snprintf(name, sizeof(name), "%ld", kind->statuses[i].status);
        put_count(statuses, name, kind->statuses[i].count);
    }
    put(object, "statuses", statuses);
}

static json_t *kinds_json(const struct account *account, const struct kind_account *all)
{
    json_t *kinds = json_object();
    json_t *kind;

    for (unsigned i = 0; i <= KIND_COUNT; i++) {
        const struct kind_account *from = i < KIND_COUNT ? &account->kinds[i] : all;

        if (from->latencies.count > 0) {
            kind = histogram_json(&from->latencies);
            put_statuses(kind, from);
            put(kinds, i < KIND_COUNT ? kind_name(i) : "all", kind);
        }
    }
    return kinds;
}

static json_t *refusals_json(const struct account *account)
{
    json_t *list = json_array();

    for (size_t i = 0; i < account->refusal_count; i++) {
        const struct refusal *refusal = &account->refusals[i];
        json_t *item = json_object();

        put(item, "request", json_string(kind_name(refusal->kind)));
        put(item, "status", json_integer(refusal->status));
        put(item, "error", ctl_json_text(refusal->error));
        put(item, "example", ctl_json_text(refusal->example));
        put_count(item, "count", refusal->count);
        OD_CHECK(json_array_append_new(list, item) == 0);
    }
    return list;
}

static json_t *events_json(const struct account *account)
{
    json_t *events = json_object();

    for (unsigned event = 0; event < TOLD_COUNT; event++) {
        json_t *statuses = json_object();

        for (unsigned status = 0; status < TOLD_STATUSES; status++) {
            if (account->events[event][status] > 0) {
                put_count(statuses, status_words[status], account->events[event][status]);
            }
        }
        put(events, event_words[event], statuses);
    }
    put_count(events, "sentAgain", account->events_again);
    return events;
}

static json_t *calls_json(const struct account *account)
{
    json_t *calls = json_object();

    put_count(calls, "claimed", account->calls_claimed);
    put_count(calls, "claimedAgain", account->calls_redelivered);
    put_count(calls, "ended", account->calls_ended);
    put(calls, "endedPerSecond", json_real(rate(account, account->calls_ended)));
    put_count(calls, "neverOffered", account->calls_never_offered);
    put_count(calls, "withoutEvents", account->calls_unmentioned);
    put_count(calls, "foreign", account->calls_foreign);
    return calls;
}

static json_t *otherwise_json(const struct account *account)
{
    json_t *otherwise = json_object();
    json_t *events = json_object();

    put_count(otherwise, "refused", account->refused_otherwise);
    put_count(otherwise, "taken", account->taken_otherwise);
    for (unsigned i = 0; i < TOLD_COUNT; i++) {
        put_count(events, event_words[i], account->events_otherwise[i]);
    }
    put(otherwise, "events", events);
    put_count(otherwise, "notThere", account->not_there);
    put_count(otherwise, "neverOffered", account->never_offered);
    return otherwise;
}

static void put_text_or_null(json_t *object, const char *name, const char *text)
{
    put(object, name, text[0] != '\0' ? ctl_json_text(text) : json_null());
}

static void put_instant(json_t *object, const char *name, int64_t at)
{
    char text[INSTANT_TEXT_SIZE];

    instant_print(at, text);
    put(object, name, at != 0 ? json_string(text) : json_null());
}

int account_print_json(const struct account *account, const struct account_of *of)
{
    struct kind_account *all = add_all(account);
    json_t *object = json_object(), *missing = json_object();
    struct reason reasons[REASONS];
    int result;

    put(object, "file", ctl_json_text(of->file));
    put(object, "url", ctl_json_text(of->url));
    put(object, "program",
        json_stringn_nocheck(of->header->program.data, of->header->program.size));
    put(object, "raw", json_boolean(of->header->is_raw));
    put(object, "clock", json_string(account->has_test_clock ? "test" : "real"));
    put_instant(object, "from", account->first_at);
    put_instant(object, "to", account->last_at);
    put_count(object, "messages", account->messages);
    put_count(object, "fromClientsAndWorkers", wanted(account));
    put_count(object, "driven", driven(account));
    list_reasons(account, reasons);
    for (unsigned i = 0; i < REASONS; i++) {
        put_count(missing, reasons[i].name, reasons[i].count);
    }
    put(object, "notDriven", missing);
    put_count(object, "listsCutShort", account->left_out);
    put(object, "seconds", json_real(account->seconds));
    put_count(object, "requests", account->requests);
    put(object, "requestsPerSecond", json_real(rate(account, account->requests)));
    put_count(object, "toldToWait", account->waits);
    put(object, "calls", calls_json(account));
    put(object, "kinds", kinds_json(account, all));
    put(object, "refusals", refusals_json(account));
    put(object, "events", events_json(account));
    put(object, "otherwise", otherwise_json(account));
    put_text_or_null(object, "damage", account->damage);
    put_text_or_null(object, "failure", account->failure);
    result = json_dumpf(object, stdout, JSON_PRESERVE_ORDER | JSON_COMPACT);
    json_decref(object);
    memory_free(all);
    return result == 0 && printf("\n") > 0 && fflush(stdout) == 0 ? 0 : -1;
}
