#include "node/runtime/completions.h"

#include <stdlib.h>

struct completion {
    struct completion *next;
    uint64_t token;
    void (*on_done)(void *arg, err result);
    void *arg;
};

struct completions {
    struct event_queue *events;
    struct completion *first;
    uint64_t last;
};

struct completions *completions_new(struct event_queue *events)
{
    struct completions *completions = calloc(1, sizeof *completions);
    if (completions != NULL)
        completions->events = events;
    return completions;
}

void completions_free(struct completions *completions)
{
    while (completions != NULL && completions->first != NULL) {
        struct completion *completion = completions->first;
        completions->first = completion->next;
        if (completion->on_done != NULL)
            completion->on_done(completion->arg, ERR_BUSY);
        free(completion);
    }
    free(completions);
}

uint64_t completions_add(struct completions *completions, void (*on_done)(void *arg, err result),
                         void *arg)
{
    struct completion *completion = calloc(1, sizeof *completion);
    if (completion == NULL)
        return 0;
    completion->token = ++completions->last << 1 | 1;
    completion->on_done = on_done;
    completion->arg = arg;
    completion->next = completions->first;
    completions->first = completion;
    return completion->token;
}

static struct completion *completions_take(struct completions *completions, uint64_t token)
{
    struct completion **link = &completions->first;
    while (*link != NULL && (*link)->token != token)
        link = &(*link)->next;
    struct completion *completion = *link;
    if (completion != NULL)
        *link = completion->next;
    return completion;
}

void completions_forget(struct completions *completions, uint64_t token)
{
    free(completions_take(completions, token));
}

void completions_settle(struct completions *completions, uint64_t token, err result)
{
    struct completion *completion = completions_take(completions, token);
    if (completion != NULL && completion->on_done != NULL)
        event_queue_add_result(completions->events, completion->on_done, completion->arg, result);
    free(completion);
}
