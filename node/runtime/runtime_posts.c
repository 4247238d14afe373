/* Posts that wait for their turn: a stream takes one record at a time. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/runtime/runtime_state.h"

enum { RUNTIME_POSTS_TIMEOUT_MS = 60 * 1000 };

static void runtime_posts_answer(struct runtime *runtime, uint64_t token,
                                 const struct runtime_done *done)
{
    struct runtime_waiting **link = &runtime->posts;
    while (*link != NULL && (*link)->token != token)
        link = &(*link)->next;
    struct runtime_waiting *waiting = *link;
    if (waiting == NULL)
        return;
    *link = waiting->next;
    runtime->post_count--;
    if (waiting->on_done != NULL)
        waiting->on_done(waiting->arg, done);
    sodium_memzero(waiting->plaintext, waiting->plaintext_size);
    free(waiting->plaintext);
    free(waiting);
}

void runtime_posts_done(struct runtime *runtime, const struct effect *effect)
{
    struct runtime_done done = {effect->done.verdict, effect->done.record, effect->done.sequence};
    if (done.verdict != ERR_BUSY) {
        runtime_posts_answer(runtime, effect->token.value, &done);
        return;
    }
    /* its stream takes one record at a time: it stays in the line */
    for (struct runtime_waiting *waiting = runtime->posts; waiting != NULL;
         waiting = waiting->next) {
        if (waiting->token == effect->token.value)
            waiting->is_under_way = false;
    }
}

/* Tries every post that is not under way, each once, in the order in which they were asked. */
void runtime_posts_next(struct runtime *runtime)
{
    uint64_t tried = 0;
    struct runtime_waiting *waiting = runtime->posts;
    while (waiting != NULL) {
        if (waiting->is_under_way || waiting->token <= tried) {
            waiting = waiting->next;
            continue;
        }
        tried = waiting->token;
        waiting->is_under_way = true;
        struct event event = runtime_event(EVENT_POST);
        event.token.value = waiting->token;
        event.post.scope = waiting->scope;
        event.post.audience = waiting->audience;
        event.post.plaintext = (struct bytes){waiting->plaintext, waiting->plaintext_size};
        event.post.expires = waiting->expires;
        runtime_turn(runtime, &event, NULL);
        waiting = runtime->posts; /* an answer may have changed the list */
    }
}

void runtime_posts_tick(struct runtime *runtime)
{
    uint64_t now = runtime_wall().ms;
    struct runtime_waiting *waiting = runtime->posts;
    while (waiting != NULL) {
        struct runtime_waiting *after = waiting->next;
        if (!waiting->is_under_way && waiting->asked_at.ms + RUNTIME_POSTS_TIMEOUT_MS < now) {
            struct runtime_done done = {.verdict = ERR_BUSY};
            runtime_posts_answer(runtime, waiting->token, &done);
            return;
        }
        waiting = after;
    }
}

bool runtime_posts_waits(const struct runtime *runtime)
{
    for (const struct runtime_waiting *waiting = runtime->posts; waiting != NULL;
         waiting = waiting->next) {
        if (!waiting->is_under_way)
            return true;
    }
    return false;
}

static void runtime_posts_refuse(void (*on_done)(void *, const struct runtime_done *), void *arg,
                                 err verdict)
{
    struct runtime_done done = {.verdict = verdict};
    if (on_done != NULL)
        on_done(arg, &done);
}

void runtime_post(struct runtime *runtime, const struct runtime_post *post,
                  void (*on_done)(void *arg, const struct runtime_done *done), void *arg)
{
    struct runtime_waiting *waiting = calloc(1, sizeof *waiting);
    uint8_t *plaintext = malloc(post->plaintext.size + 1);
    if (waiting == NULL || plaintext == NULL || runtime->is_closing ||
        runtime->post_count >= RUNTIME_POST_COUNT_MAX) {
        err verdict = waiting == NULL || plaintext == NULL ? ERR_NO_MEMORY : ERR_BUSY;
        free(waiting);
        free(plaintext);
        runtime_posts_refuse(on_done, arg, verdict);
        return;
    }
    memcpy(plaintext, post->plaintext.data, post->plaintext.size);
    *waiting = (struct runtime_waiting){.token = ++runtime->token_last,
                                        .scope = post->scope,
                                        .audience = post->audience,
                                        .expires = post->expires,
                                        .asked_at = runtime_wall(),
                                        .plaintext = plaintext,
                                        .plaintext_size = post->plaintext.size,
                                        .on_done = on_done,
                                        .arg = arg};
    struct runtime_waiting **end = &runtime->posts;
    while (*end != NULL)
        end = &(*end)->next;
    *end = waiting;
    runtime->post_count++;
    runtime_posts_next(runtime);
}

void runtime_posts_stop(struct runtime *runtime, bool is_for_all)
{
    struct runtime_done done = {.verdict = ERR_BUSY};
    struct runtime_waiting *waiting = runtime->posts;
    while (waiting != NULL) {
        bool is_refused = is_for_all || !waiting->is_under_way;
        if (is_refused)
            runtime_posts_answer(runtime, waiting->token, &done);
        waiting = is_refused ? runtime->posts : waiting->next;
    }
}
