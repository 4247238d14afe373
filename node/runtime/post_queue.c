#include "node/runtime/post_queue.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/runtime/clock.h"

enum { POST_QUEUE_COUNT_MAX = 256, POST_QUEUE_TIMEOUT_MS = 60 * 1000 };

struct post_queue_entry {
    struct post_queue_entry *next;
    uint64_t token;
    bool is_under_way;
    struct scope scope;
    enum audience audience;
    struct wall expires;
    struct wall asked_at;
    uint8_t *plaintext;
    size_t plaintext_size;
    void (*on_done)(void *arg, const struct runtime_done *done);
    void *arg;
};

struct post_queue {
    struct event_queue *events;
    struct post_queue_entry *first;
    uint64_t token_last;
    size_t count;
};

struct post_queue *post_queue_new(struct event_queue *events)
{
    struct post_queue *queue = calloc(1, sizeof *queue);
    if (queue != NULL)
        queue->events = events;
    return queue;
}

void post_queue_free(struct post_queue *queue)
{
    if (queue != NULL)
        post_queue_stop(queue, true);
    free(queue);
}

static void post_queue_answer(struct post_queue *queue, uint64_t token,
                              const struct runtime_done *done)
{
    struct post_queue_entry **link = &queue->first;
    while (*link != NULL && (*link)->token != token)
        link = &(*link)->next;
    struct post_queue_entry *waiting = *link;
    if (waiting == NULL)
        return;
    *link = waiting->next;
    queue->count--;
    if (waiting->on_done != NULL)
        waiting->on_done(waiting->arg, done);
    sodium_memzero(waiting->plaintext, waiting->plaintext_size);
    free(waiting->plaintext);
    free(waiting);
}

void post_queue_done(struct post_queue *queue, const struct effect *effect)
{
    struct runtime_done done = {effect->done.verdict, effect->done.record, effect->done.sequence};
    if (done.verdict != ERR_BUSY) {
        post_queue_answer(queue, effect->token.value, &done);
        return;
    }
    /* its stream takes one record at a time: it stays in the line */
    for (struct post_queue_entry *waiting = queue->first; waiting != NULL;
         waiting = waiting->next) {
        if (waiting->token == effect->token.value)
            waiting->is_under_way = false;
    }
}

void post_queue_next(struct post_queue *queue)
{
    for (struct post_queue_entry *waiting = queue->first; waiting != NULL;
         waiting = waiting->next) {
        if (waiting->is_under_way)
            continue;
        waiting->is_under_way = true;
        struct event event = {.kind = EVENT_POST};
        event.token.value = waiting->token;
        event.post.scope = waiting->scope;
        event.post.audience = waiting->audience;
        event.post.plaintext = (struct bytes){waiting->plaintext, waiting->plaintext_size};
        event.post.expires = waiting->expires;
        event_queue_add(queue->events, &event, NULL);
    }
}

void post_queue_tick(struct post_queue *queue)
{
    uint64_t now = clock_wall().ms;
    struct post_queue_entry *waiting = queue->first;
    while (waiting != NULL) {
        struct post_queue_entry *after = waiting->next;
        if (!waiting->is_under_way && waiting->asked_at.ms + POST_QUEUE_TIMEOUT_MS < now) {
            struct runtime_done done = {.verdict = ERR_BUSY};
            post_queue_answer(queue, waiting->token, &done);
            return;
        }
        waiting = after;
    }
}

bool post_queue_waits(const struct post_queue *queue)
{
    for (const struct post_queue_entry *waiting = queue->first; waiting != NULL;
         waiting = waiting->next) {
        if (!waiting->is_under_way)
            return true;
    }
    return false;
}

static void post_queue_refuse(void (*on_done)(void *, const struct runtime_done *), void *arg,
                              err verdict)
{
    struct runtime_done done = {.verdict = verdict};
    if (on_done != NULL)
        on_done(arg, &done);
}

void post_queue_add(struct post_queue *queue, const struct runtime_post *post,
                    void (*on_done)(void *arg, const struct runtime_done *done), void *arg)
{
    struct post_queue_entry *waiting = calloc(1, sizeof *waiting);
    uint8_t *plaintext = malloc(post->plaintext.size + 1);
    if (waiting == NULL || plaintext == NULL || queue->count >= POST_QUEUE_COUNT_MAX) {
        err verdict = waiting == NULL || plaintext == NULL ? ERR_NO_MEMORY : ERR_BUSY;
        free(waiting);
        free(plaintext);
        post_queue_refuse(on_done, arg, verdict);
        return;
    }
    memcpy(plaintext, post->plaintext.data, post->plaintext.size);
    *waiting = (struct post_queue_entry){.token = ++queue->token_last,
                                         .scope = post->scope,
                                         .audience = post->audience,
                                         .expires = post->expires,
                                         .asked_at = clock_wall(),
                                         .plaintext = plaintext,
                                         .plaintext_size = post->plaintext.size,
                                         .on_done = on_done,
                                         .arg = arg};
    struct post_queue_entry **end = &queue->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = waiting;
    queue->count++;
    post_queue_next(queue);
}

void post_queue_stop(struct post_queue *queue, bool is_for_all)
{
    struct runtime_done done = {.verdict = ERR_BUSY};
    struct post_queue_entry *waiting = queue->first;
    while (waiting != NULL) {
        bool is_refused = is_for_all || !waiting->is_under_way;
        if (is_refused)
            post_queue_answer(queue, waiting->token, &done);
        waiting = is_refused ? queue->first : waiting->next;
    }
}
