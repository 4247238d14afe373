#include "node/cli/present/render_next.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "node/cli/present/api_json.h"
#include "node/cli/terminal/term.h"

/* What decides about the steps, as the answer of the node tells it. */
struct next_case {
    const json_t *about;
    bool is_running; /* announced, revealed or synthesised */
    bool is_announced;
    bool is_synthesised;
    bool is_over; /* closed or followed up */
    bool is_first;
    bool is_unrevealed; /* an opinion is */
    bool is_overdue;
    long long opinions;
    long long participants;
};

static struct next_case next_of(const json_t *about)
{
    const json_t *counts = json_object_get(about, "counts");
    struct next_case next = {.about = about};
    next.is_announced = api_json_equals(about, "state", "announced");
    next.is_synthesised = api_json_equals(about, "state", "synthesised");
    next.is_running =
        next.is_announced || next.is_synthesised || api_json_equals(about, "state", "revealed");
    next.is_over =
        api_json_equals(about, "state", "closed") || api_json_equals(about, "state", "followed-up");
    next.is_first = api_json_equals(about, "mode", "independent-first");
    next.opinions = api_json_number(counts, "opinions");
    next.is_unrevealed = next.opinions > api_json_number(counts, "revealed");
    next.participants = api_json_number(counts, "participants");
    next.is_overdue = api_json_is(counts, "overdue");
    return next;
}

static void next_step(const struct next_case *next, const char *command, const char *why)
{
    char line[64];
    snprintf(line, sizeof line, "consilium %s %.8s", command, api_json_text(next->about, "case"));
    term_pair(2, line, 34, why);
}

/* "also: discuss, flag, erase" */
static void next_also(const char *commands)
{
    term_pair(2, "also possible", 34, commands);
}

static bool next_is_asked(const struct next_case *next)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(next->about, "asked"), index, item)
    {
        if (api_json_equals(item, "state", "open"))
            return true;
    }
    return false;
}

/* ---- one's own case ---- */

static void next_requester_running(const struct next_case *next)
{
    bool is_readable = next->opinions > 0 && !(next->is_first && next->is_unrevealed);
    if (next_is_asked(next))
        next_step(next, "supply", "supply what was asked for, or say why not");
    if (api_json_number(next->about, "joins_waiting") > 0)
        next_step(next, "joins", "institutions ask to join: grant or refuse");
    if (next->is_first && next->is_unrevealed)
        next_step(next, "reveal", "let the participants read the opinions");
    if (is_readable && !next->is_synthesised)
        next_step(next, "synthesis", "sum up the opinions, then close the case");
    if (next->is_synthesised || (next->is_overdue && next->opinions == 0))
        next_step(next, "close",
                  next->is_overdue ? "close the case: the deadline is over"
                                   : "close the case when you need no more");
    if (next->is_overdue)
        next_step(next, "extend", "the deadline is over: set a new one");
    next_also(next->participants > 0
                  ? "discuss, grant, ungrant, extend, close, withdraw, flag, erase"
                  : "grant, extend, close, withdraw, erase");
}

static void next_requester(const struct next_case *next)
{
    const json_t *counts = json_object_get(next->about, "counts");
    if (next->is_running) {
        next_requester_running(next);
    } else if (next->is_over) {
        bool is_due = api_json_is(counts, "follow_up_due");
        if (next->is_first && next->is_unrevealed)
            next_step(next, "reveal", "let the participants read the opinions");
        next_step(next, "outcome",
                  is_due ? "the follow-up is due: report the outcome"
                  : api_json_equals(next->about, "state", "closed")
                      ? "tell the participants the outcome"
                      : "tell the participants what happened since");
        next_also("discuss, flag, erase");
    } else if (api_json_equals(next->about, "state", "withdrawn")) {
        term_text("The case is withdrawn: nothing is to be done.", 2);
        next_also("flag, erase");
    }
}

/* ---- a case of another institution ---- */

static void next_participant(const struct next_case *next)
{
    if (next->is_running) {
        next_step(next, "fetch", "download documents and images");
        next_step(next, "read", "write them to files and sign a receipt");
        next_step(next, "reply", "give your opinion; a later one replaces it with --replaces");
        next_also(next->is_first && next->is_announced ? "ask, decline, release, flag"
                                                       : "ask, decline, discuss, release, flag");
    } else if (next->is_over) {
        next_step(next, "read", "sign a receipt for what is new");
        next_also("discuss, release, opinion export, flag");
    } else if (api_json_equals(next->about, "state", "withdrawn")) {
        term_text("The case is withdrawn: nothing is to be done.", 2);
        next_also("read, flag");
    }
}

static void next_stranger(const struct next_case *next)
{
    const json_t *about = next->about;
    const json_t *join = json_object_get(about, "own_join");
    bool is_ended = api_json_equals(about, "part", "ended");
    if (!next->is_running && !api_json_equals(about, "state", "open")) {
        term_text(is_ended ? "The access has ended, and the case is over: nothing is to be done."
                           : "The case is over. `consilium inbox` lists the cases that are open.",
                  2);
    } else if (api_json_equals(join, "state", "waiting")) {
        term_text("Nothing to do now: the requester grants access or refuses.", 2);
    } else {
        next_step(next, "join",
                  join != NULL || is_ended ? "ask for access again"
                                           : "offer an opinion; you then get the case file");
        if (join == NULL && !is_ended)
            next_step(next, "decline", "say that this institution will not answer");
    }
}

void render_next(const json_t *about)
{
    struct next_case next = next_of(about);
    if (api_json_equals(about, "state", "erased"))
        next_step(&next, "erasure", "the case is erased: who sent a receipt, and who did not");
    else if (api_json_equals(about, "part", "requester"))
        next_requester(&next);
    else if (api_json_equals(about, "part", "participant"))
        next_participant(&next);
    else if (api_json_equals(about, "part", "granted"))
        term_text("Nothing to do now: the case file is still to arrive.", 2);
    else
        next_stranger(&next);
}
