#!/bin/bash
# Shows that each check of tools/ finds its bad sample and passes a good one. A sample is a small
# tree, written here beside what the check must say about it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
cases=0

# "python3" may be a script that takes a second to find a Python, and its checks are run often.
python=$(python3 -c 'import os, sys; print(os.path.dirname(sys.executable))')
export PATH=$python:$PATH

# begin: an empty tree in $tree.
begin() {
    tree=$work/$((++cases))
    mkdir -p "$tree"
}

# put FILE: a file of the tree, from standard input.
put() {
    mkdir -p "$tree/${1%/*}"
    cat >"$tree/$1"
}

fail() {
    printf 'FAILED: %s\n%s\n' "$1" "$2"
    failures=$((failures + 1))
}

# finds TEXT CHECK [ARG]: the check fails, and one of its lines is TEXT. Of samples that share a tree,
# which those of one rule do, it is run once.
seen="" # CHECK and ARG of the last run: $out, $status
finds() {
    local text=$1
    shift
    if [[ $seen != "$1 ${2:-$tree}" ]]; then
        seen="$1 ${2:-$tree}"
        status=0
        out=$("$root/tools/$1" "${2:-$tree}" 2>&1) || status=$?
    fi
    if [[ $status -eq 0 ]]; then
        fail "$1 passed a bad sample; it should say: $text" "$out"
    elif ! grep -qxF -- "$text" <<<"$out"; then
        fail "$1 did not say: $text" "$out"
    else
        echo "ok: $text"
    fi
}

# passes NAME CHECK [ARG]: the check says nothing.
passes() {
    local name=$1 out
    shift
    if ! out=$("$root/tools/$1" "${2:-$tree}" 2>&1) || [[ -n $out ]]; then
        fail "$1 complained about a good sample: $name" "$out"
    else
        echo "ok: $1 passes $name"
    fi
}

# ---------------------------------------------------------------------------------- check-layers

begin
put base/heap.c <<<'#include "base/heap.h"'
put model/retry.c <<<'#include "base/instant.h"'
put actors/execution.c <<<'#include "model/retry.h"'
put storage/store.c <<<'#include <lmdb.h>'
put engine/zones.c <<<'#include <glib.h>'
put gateways/worker.c <<<'#include "engine/gateway_port.h"'
put api/page.c <<<'#include "storage/reader.h"'
put cmd/outdiald.c <<<'#include "gateways/worker.h"'
put tests/unit/base/heap_test.c <<<'#include "engine/engine.h"'
passes "permitted includes" check-layers

begin
put base/heap.c < <(printf '\n#include "model/retry.h"\n')
finds 'base/heap.c:2: base may not include "model/retry.h"' check-layers
begin
put actors/execution.h <<<'#  include "engine/clock.h" /* the time */'
finds 'actors/execution.h:1: actors may not include "engine/clock.h"' check-layers
begin
put storage/store.c <<<'#include "actors/actor.h"'
finds 'storage/store.c:1: storage may not include "actors/actor.h"' check-layers
begin
put gateways/worker.c <<<'#include "engine/engine.h"'
finds 'gateways/worker.c:1: gateways may not include "engine/engine.h"' check-layers
begin
put api/page.c <<<'#include "storage/writer.h"'
finds 'api/page.c:1: api may not include "storage/writer.h"' check-layers
begin
put engine/clock.c <<<'#include <glib.h>'
finds 'engine/clock.c:1: <glib.h> is for engine/zones.c only' check-layers
begin
put actors/execution.c <<<'#include <event2/event.h>'
finds 'actors/execution.c:1: <event2/event.h> is for engine gateways api cmd bench only' check-layers
begin
put base/heap.c <<<'#include "heap.h"'
finds 'base/heap.c:1: "heap.h" must be named from the root ("folder/name.h")' check-layers
begin
put base/heap.c <<<'#include "base/buf.c"'
finds 'base/heap.c:1: "base/buf.c" is a source: include its header' check-layers

# ---------------------------------------------------------------------------------- check-purity

# compile: the objects of the tree's sources, where a build puts them.
compile() {
    local source object
    (
        cd "$tree"
        for source in */*.c; do
            object=build/CMakeFiles/${source%%/*}.dir/$source.o
            mkdir -p "$(dirname "$object")"
            cc -std=c11 -D_GNU_SOURCE -O2 -I. -c -o "$object" "$source"
        done
    )
}

begin
put base/arena.c <<'C'
#include <stdlib.h>
void *arena_alloc(size_t size);
void *arena_alloc(size_t size)
{
    return malloc(size);
}
C
put base/log.c <<'C'
#include <stdio.h>
void log_write(const char *text);
void log_write(const char *text)
{
    (void)fputs(text, stderr);
}
C
put model/retry.c <<'C'
#include <stdio.h>
#include <string.h>
void *arena_alloc(size_t size);
char *retry_print(int n);
static const char *const names[] = {"busy", "no answer"};
char *retry_print(int n)
{
    char *text = arena_alloc(strlen(names[n & 1]) + 20);
    (void)snprintf(text, 20, "%s %d", names[n & 1], n);
    return text;
}
C
put actors/execution.c <<'C'
char *retry_print(int n);
char *execution_print(void);
char *execution_print(void)
{
    return retry_print(3);
}
C
compile
passes "pure actors over base" check-purity "$tree/build"

# impure SYMBOL FILE [NOTE]: the source on standard input is not pure. found_impure ends such a tree.
impurities=()
impure() {
    put "$2"
    impurities+=("impure: $1 in $2${3:+ ($3)}")
}
found_impure() {
    local text
    put base/log.c <<<'void log_write(void); void log_write(void) {}'
    put model/empty.c <<<'int model_empty(void); int model_empty(void) { return 0; }'
    compile
    for text in "${impurities[@]}"; do
        finds "$text" check-purity "$tree/build"
    done
    impurities=()
}
begin
impure time actors/execution.c <<'C'
#include <time.h>
time_t execution_now(void);
time_t execution_now(void)
{
    return time(NULL);
}
C
impure malloc model/phone.c <<'C'
#include <stdlib.h>
char *phone_new(void);
char *phone_new(void)
{
    return malloc(16);
}
C
impure log_write actors/gateway_actor.c <<'C'
void log_write(void);
void gateway_actor_offer(void);
void gateway_actor_offer(void)
{
    log_write();
}
C
impure clock_gettime base/instant.c <<'C'
#include <time.h>
long instant_now(void);
long instant_now(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME, &now) == 0 ? now.tv_sec : 0;
}
C
found_impure
begin
impure count actors/fair_share.c "writable data" <<'C'
int fair_share_next(void);
int fair_share_next(void)
{
    static int count;
    return ++count;
}
C
found_impure
begin
if "$root/tools/check-purity" "$tree" >/dev/null 2>&1; then
    fail "check-purity passed a build without objects" ""
else
    echo "ok: check-purity wants objects"
fi

# ------------------------------------------------------------------------------------ check-tidy

# lines N TEXT: the text N times.
lines() {
    yes "$2" | head -n "$1" || true
}

begin
put base/heap.c < <(
    echo '/* strcpy() and sprintf() are banned, it says here'
    echo '   and rand() too */'
    echo 'const char *heap_text = "atoi(1)"; // strcat(a, b)'
    echo 'int heap_operand(int brand) { return my_strcpy(brand) + operand (brand); }'
    echo 'char heap_template[] = "/tmp/XXXXXX";'
    echo 'int heap_sum(int a)'
    echo '{'
    lines 67 '    a++;'
    echo '}'
    lines 424 '/* a line */'
)
put base/heap.h <<<'int heap_operand(int brand);'
put tests/unit/base/heap_test.c <<<'int heap_test;'
put actors/execution.c </dev/null
put actors/execution.h </dev/null
put actors/execution_dial.c </dev/null
put tests/unit/actors/execution_test.c </dev/null
put engine/clock.c <<<'int f(void) { return usleep(1); }'
put tests/crash/test_kill.py <<<'time.sleep(random.random())'
passes "500 lines, 70 lines, words that only look banned" check-tidy

# banned CALL REPLACEMENT
replacements=()
banned() {
    put "cmd/sample_$1.c" < <(printf 'void f(void)\n{\n    x = %s (a);\n}\n' "$1")
    replacements+=("cmd/sample_$1.c:3: banned: $1(): use $2")
}
begin
banned strcpy "base/buf, or snprintf with the size"
banned strcat "base/buf"
banned sprintf "snprintf, or base/buf"
banned strtok "struct slice (base/buf)"
banned strtok_r "struct slice (base/buf)"
banned atoi "strtoll with a check of its end and range"
banned localtime "engine/zones and model/calendar"
banned localtime_r "engine/zones and model/calendar"
banned gmtime "base/instant"
banned rand "random bytes that arrive in a message"
for text in "${replacements[@]}"; do
    finds "$text" check-tidy
done

begin
put tests/unit/engine/clock_test.c <<<'void f(void) { (void)usleep(10); }'
finds 'tests/unit/engine/clock_test.c:1: banned: usleep(): use the test clock, or wait for the event itself' \
    check-tidy
begin
put tests/daemon/test_start.py <<<'    time.sleep(1)'
finds 'tests/daemon/test_start.py:1: banned: sleep(): use the test clock, or wait for the event itself' \
    check-tidy

begin
for word in TODO FIXME XXX; do
    put "engine/sample_$word.c" <<<"/* $word: finish this */"
done
for word in TODO FIXME XXX; do
    finds "engine/sample_$word.c:1: word: do it or leave it: /* $word: finish this */" check-tidy
done

begin
put api/long.c < <(lines 501 '/* a line */')
finds 'api/long.c:501: file: more than 500 lines: cut it along its nouns' check-tidy
begin
put api/long.c < <(printf '\nint long_sum(int a)\n{\n'; lines 68 '    a++;'; echo '}')
finds 'api/long.c:2: function: long_sum has 71 lines, more than 70' check-tidy

begin
for folder in base model storage actors; do
    put $folder/sample.c </dev/null
    put $folder/sample.h </dev/null
done
put actors/fair_share.c </dev/null
put actors/fair_share.h </dev/null
put tests/unit/actors/fair_test.c </dev/null
for folder in base model storage actors; do
    finds "$folder/sample.c:1: untested: write tests/unit/$folder/sample_test.c" check-tidy
done
finds "actors/fair_share.c:1: untested: write tests/unit/actors/fair_share_test.c" check-tidy

# -------------------------------------------------------------------------------- check-messages

# messages: a header of three messages; the page is on standard input.
messages() {
    begin
    put model/message.h <<'H'
#define MESSAGES(MESSAGE)                                \
    MESSAGE(MESSAGE_LAUNCH, "launch", ACTOR_EXECUTION)   \
    MESSAGE(MESSAGE_PAUSE, "pause", ACTOR_EXECUTION)     \
    MESSAGE(MESSAGE_CLAIM, "claim", ACTOR_DISPATCHER)
H
    put docs/messages.md
}

messages <<'PAGE'
## Execution
| message | meaning |
|---|---|
| `launch` | begins |
| `pause` | waits |
## Dispatcher
| `claim` | calls for a worker |
PAGE
passes "each message under its actor" check-messages

messages <<'PAGE'
## Execution
| `launch` | begins |
| `claim` | calls for a worker |
| `stop` | there is none |
| `launch` | again |
PAGE
finds 'docs/messages.md:1: "pause" of model/message.h is missing (execution)' check-messages
finds 'docs/messages.md:3: "claim" is not for execution' check-messages
finds 'docs/messages.md:4: there is no message "stop" in model/message.h' check-messages
finds 'docs/messages.md:1: "launch" is there twice' check-messages

# -------------------------------------------------------------------------------------- mutants

# mutant NAME TEST LINE: a patch that wants LINE to be the first of model/retry.c.
mutant() {
    put "tests/mutants/$1.patch" < <(
        printf 'Breaks: a rule,\nin two lines.\nCaught by: %s\n\n' "$2"
        printf -- '--- a/model/retry.c\n+++ b/model/retry.c\n@@ -1,2 +1,2 @@\n-%s\n+int b;\n int c;\n' "$3"
    )
}

# mutants: a tree with forty that apply.
mutants() {
    local number
    begin
    put model/retry.c < <(printf 'int a;\nint c;\n')
    put tests/unit/model/retry_test.c </dev/null
    put tests/daemon/test_worker.py </dev/null
    for number in {10..49}; do
        mutant "$number-first" "unit/model/retry daemon/worker" 'int a;'
    done
}

mutants
passes "forty patches that apply" mutants "--check=$tree"
mutants
rm "$tree/tests/mutants/49-first.patch"
finds 'tests/mutants: 39 patches, fewer than 40' mutants "--check=$tree"
mutants
mutant 49-twin unit/model/retry 'int a;'
mutant 50-outdated unit/model/retry 'int x;'
mutant 51-unseen unit/model/phone 'int a;'
put tests/mutants/52-wordless.patch < <(tail -n +4 "$tree/tests/mutants/49-first.patch")
finds '49-twin.patch: has the number of 49-first' mutants "--check=$tree"
finds '50-outdated.patch: does not apply: error: patch failed: model/retry.c:1' mutants "--check=$tree"
finds '51-unseen.patch: there is no test "unit/model/phone" (tests/unit/model/phone_test.c)' \
    mutants "--check=$tree"
finds '52-wordless.patch: does not say what it breaks (Breaks: ...)' mutants "--check=$tree"
finds '52-wordless.patch: does not say which tests catch it (Caught by: ...)' mutants "--check=$tree"

echo "$failures failures"
[[ $failures -eq 0 ]]
