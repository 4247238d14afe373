#include "protocol/consult/consult_view.h"

#include "protocol/consult/consult.h"

#define CONSULT_DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

static bool is_follow_up_due(const struct consult *consult, uint64_t day, struct wall now)
{
    return consult->outcome_day < day && now.ms >= consult->closed_at.ms + day * CONSULT_DAY_MS;
}

static void view_participants(const struct consult *consult, struct consult_view *view)
{
    size_t busy = 0; /* with access, and did not decline */
    for (size_t i = 0; i < consult->participant_count; i++) {
        const struct consult_participant *participant = &consult->participants[i];
        view->participant_count += !participant->is_ended;
        view->ended_count += participant->is_ended;
        view->institution_count += participant->has_opinion;
        view->declined_count += participant->has_declined;
        view->erased_count += participant->erased_at.ms != 0;
        view->silent_count += consult->state == CASE_ERASED && participant->erased_at.ms == 0;
        busy += participant->has_opinion || (!participant->is_ended && !participant->has_declined);
    }
    /* C-36: a member that declined frees its place, one that answered keeps it */
    view->is_cap_reached = busy >= consult->wanted_count;
}

struct consult_view consult_view(const struct consult *consult, struct wall now)
{
    struct consult_view view = {0};
    bool is_running = consult->state == CASE_ANNOUNCED || consult->state == CASE_REVEALED ||
                      consult->state == CASE_SYNTHESISED;
    bool is_closed = consult->state == CASE_CLOSED || consult->state == CASE_FOLLOWED_UP;
    view_participants(consult, &view);
    for (size_t i = 0; i < consult->taken_count; i++) {
        bool is_opinion = consult->taken[i].kind == KIND_OPINION;
        view.opinion_count += is_opinion;
        view.revealed_count += is_opinion && consult->taken[i].is_revealed;
    }
    view.is_overdue = is_running && now.ms >= consult->deadline.ms;
    view.is_follow_up_due =
        is_closed && (is_follow_up_due(consult, 21, now) || is_follow_up_due(consult, 90, now));
    return view;
}
