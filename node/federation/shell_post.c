/* Posts that wait for their turn: a stream takes one record at a time. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/federation/shell_state.h"

enum { SHELL_POST_TIMEOUT_MS = 60 * 1000 };

static void shell_post_answer(struct shell *shell, uint64_t token, const struct shell_done *done)
{
    struct shell_waiting **link = &shell->posts;
    while (*link != NULL && (*link)->token != token)
        link = &(*link)->next;
    struct shell_waiting *waiting = *link;
    if (waiting == NULL)
        return;
    *link = waiting->next;
    shell->post_count--;
    if (waiting->on_done != NULL)
        waiting->on_done(waiting->arg, done);
    sodium_memzero(waiting->plaintext, waiting->plaintext_size);
    free(waiting->plaintext);
    free(waiting);
}

void shell_post_done(struct shell *shell, const struct effect *effect)
{
    struct shell_done done = {effect->done.verdict, effect->done.record, effect->done.sequence};
    if (done.verdict != ERR_BUSY) {
        shell_post_answer(shell, effect->token.value, &done);
        return;
    }
    /* its stream takes one record at a time: it stays in the line */
    for (struct shell_waiting *waiting = shell->posts; waiting != NULL; waiting = waiting->next) {
        if (waiting->token == effect->token.value)
            waiting->is_under_way = false;
    }
}

/* Tries every post that is not under way, each once, in the order in which they were asked. */
void shell_post_next(struct shell *shell)
{
    uint64_t tried = 0;
    struct shell_waiting *waiting = shell->posts;
    while (waiting != NULL) {
        if (waiting->is_under_way || waiting->token <= tried) {
            waiting = waiting->next;
            continue;
        }
        tried = waiting->token;
        waiting->is_under_way = true;
        struct event event = shell_event(EVENT_POST);
        event.token.value = waiting->token;
        event.post.scope = waiting->scope;
        event.post.audience = waiting->audience;
        event.post.plaintext = (struct bytes){waiting->plaintext, waiting->plaintext_size};
        event.post.expires = waiting->expires;
        shell_turn(shell, &event, NULL);
        waiting = shell->posts; /* an answer may have changed the list */
    }
}

void shell_post_tick(struct shell *shell)
{
    uint64_t now = shell_wall().ms;
    struct shell_waiting *waiting = shell->posts;
    while (waiting != NULL) {
        struct shell_waiting *after = waiting->next;
        if (!waiting->is_under_way && waiting->asked_at.ms + SHELL_POST_TIMEOUT_MS < now) {
            struct shell_done done = {.verdict = ERR_BUSY};
            shell_post_answer(shell, waiting->token, &done);
            return;
        }
        waiting = after;
    }
}

bool shell_post_waits(const struct shell *shell)
{
    for (const struct shell_waiting *waiting = shell->posts; waiting != NULL;
         waiting = waiting->next) {
        if (!waiting->is_under_way)
            return true;
    }
    return false;
}

static void shell_post_refuse(void (*on_done)(void *, const struct shell_done *), void *arg,
                              err verdict)
{
    struct shell_done done = {.verdict = verdict};
    if (on_done != NULL)
        on_done(arg, &done);
}

void shell_post(struct shell *shell, const struct shell_post *post,
                void (*on_done)(void *arg, const struct shell_done *done), void *arg)
{
    struct shell_waiting *waiting = calloc(1, sizeof *waiting);
    uint8_t *plaintext = malloc(post->plaintext.size + 1);
    if (waiting == NULL || plaintext == NULL || shell->is_closing ||
        shell->post_count >= SHELL_POST_COUNT_MAX) {
        err verdict = waiting == NULL || plaintext == NULL ? ERR_NO_MEMORY : ERR_BUSY;
        free(waiting);
        free(plaintext);
        shell_post_refuse(on_done, arg, verdict);
        return;
    }
    memcpy(plaintext, post->plaintext.data, post->plaintext.size);
    *waiting = (struct shell_waiting){.token = ++shell->token_last,
                                      .scope = post->scope,
                                      .audience = post->audience,
                                      .expires = post->expires,
                                      .asked_at = shell_wall(),
                                      .plaintext = plaintext,
                                      .plaintext_size = post->plaintext.size,
                                      .on_done = on_done,
                                      .arg = arg};
    struct shell_waiting **end = &shell->posts;
    while (*end != NULL)
        end = &(*end)->next;
    *end = waiting;
    shell->post_count++;
    shell_post_next(shell);
}

void shell_post_stop(struct shell *shell, bool is_for_all)
{
    struct shell_done done = {.verdict = ERR_BUSY};
    struct shell_waiting *waiting = shell->posts;
    while (waiting != NULL) {
        bool is_refused = is_for_all || !waiting->is_under_way;
        if (is_refused)
            shell_post_answer(shell, waiting->token, &done);
        waiting = is_refused ? shell->posts : waiting->next;
    }
}
