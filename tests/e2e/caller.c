/* Whoever stands at a door, listed or not, with heads that a relay or node must refuse:
 *
 *   e2e_caller key DATA                            the transport key of that institution
 *   e2e_caller dial ADDRESS KEY [DATA]             a stranger, or that institution, knocks: prints
 *                                                  "up", or why not
 *   e2e_caller publish ADDRESS KEY SOCIETY FOLDER PASSPHRASE HEAD...
 *                                                  gives a relay these signed heads with the list
 *                                                  in force there; prints its answer
 *   e2e_caller heads ADDRESS KEY SOCIETY DATA HEAD...  gives them to a member as that institution;
 *                                                  prints "heard" when it has looked at them
 *
 * ADDRESS is tcp://HOST:PORT, KEY the transport key that must be found there, HEAD a file. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bootstrap/directory/society_directory.h"
#include "node/net/hub.h"
#include "node/onboarding/identity.h"
#include "node/os/file.h"
#include "node/os/keyfile.h"
#include "node/os/secure_arena.h"
#include "protocol/relay/publication.h"
#include "protocol/wire/frame.h"

enum { CALLER_PATIENCE_MS = 20 * 1000, CALLER_ARENA_SIZE = 16384 };

struct caller {
    bool is_publisher, is_member;
    struct transport_key key;
    uint8_t secret[KEY_SIZE];
    struct society society;
    char **heads;
    int head_count;
    uv_loop_t loop;
    uv_timer_t timer;
    struct zap_authenticator *zap_authenticator;
    struct hub *hub;
    struct hub_link link;
    bool is_answered;
};

static void caller_answer(struct caller *caller, const char *text)
{
    if (caller->is_answered)
        return;
    caller->is_answered = true;
    puts(text);
    uv_stop(&caller->loop);
}

static void caller_send(struct caller *caller, const struct buffer *frame)
{
    if (frame->failed || hub_send(caller->hub, caller->link, buffer_bytes(frame)) != OK)
        caller_answer(caller, "not sent");
}

/* Each head is let go when the program ends. */
static struct bytes caller_head(const struct caller *caller, int n)
{
    uint8_t *data;
    size_t size;
    if (file_read(caller->heads[n], HEAD_SIZE_MAX, &data, &size) != OK)
        abort();
    return (struct bytes){data, size};
}

/* ---- to a relay ---- */

static void caller_greet_relay(struct caller *caller)
{
    uint8_t memory[FRAME_SIZE_MAX];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct relay_frame hello = {.type = RELAY_HELLO,
                                .version_min = RELAY_VERSION,
                                .version_max = RELAY_VERSION,
                                .federation = roster_federation(&caller->society.roster)};
    relay_frame_write(&hello, &frame);
    caller_send(caller, &frame);
}

static void caller_publish(struct caller *caller)
{
    uint8_t all_memory[128 * 1024], memory[FRAME_SIZE_MAX];
    struct buffer all = buffer_over(all_memory, sizeof all_memory);
    struct bytes list = roster_transport_list(&caller->society.roster);
    publication_begin(&all, (uint32_t)caller->head_count);
    for (int i = 0; i < caller->head_count; i++)
        publication_put(&all, caller_head(caller, i));
    buffer_put(&all, list.data, list.size);
    for (uint32_t part = 0;; part++) {
        struct buffer frame = buffer_over(memory, sizeof memory);
        if (!publication_part(buffer_bytes(&all), part, &frame))
            break;
        caller_send(caller, &frame);
    }
}

static void caller_heard_relay(struct caller *caller, struct bytes bytes)
{
    struct relay_frame frame;
    if (relay_frame_parse(bytes, &frame) != OK)
        return;
    if (frame.type == RELAY_WELCOME)
        caller_publish(caller);
    else if (frame.type == RELAY_PUBLISHED)
        caller_answer(caller, err_name((err)frame.result));
}

/* ---- to a member ---- */

/* Heads, then a question: the answer to it tells that they were looked at. */
static void caller_tell_heads(struct caller *caller)
{
    uint8_t memory[FRAME_SIZE_MAX];
    const struct chain_link *last = chain_last(&caller->society.roster.chain);
    struct frame_hello hello = {
        FRAME_VERSION, FRAME_VERSION, roster_federation(&caller->society.roster),
        last->epoch,   last->id,      {(uint64_t)time(NULL) * 1000}};
    struct buffer frame = buffer_over(memory, sizeof memory);
    frame_hello_write(&frame, &hello);
    caller_send(caller, &frame);
    frame = buffer_over(memory, sizeof memory);
    frame_heads_begin(&frame);
    for (int i = 0; i < caller->head_count; i++) {
        if (!frame_head_write(&frame, caller_head(caller, i)))
            abort();
    }
    caller_send(caller, &frame);
    frame = buffer_over(memory, sizeof memory);
    frame_heads_want_write(&frame, &(struct frame_heads_want){0});
    caller_send(caller, &frame);
}

/* ---- the link ---- */

static void caller_on_up(void *user, struct hub_link link, const struct transport_key *peer,
                         enum hub_direction direction)
{
    struct caller *caller = user;
    (void)link;
    (void)peer;
    (void)direction;
    if (caller->is_publisher)
        caller_greet_relay(caller);
    else if (caller->is_member)
        caller_tell_heads(caller);
    else
        caller_answer(caller, "up");
}

static void caller_on_frame(void *user, struct hub_link link, struct bytes frame)
{
    struct caller *caller = user;
    (void)link;
    if (caller->is_publisher)
        caller_heard_relay(caller, frame);
    else if (caller->is_member && frame.data[0] == FRAME_HEADS)
        caller_answer(caller, "heard");
}

static void caller_on_failed(void *user, struct hub_link link, enum hub_reason reason)
{
    (void)link;
    if (reason != HUB_UNREACHABLE) /* tries again by itself */
        caller_answer(user, hub_reason_sentence(reason));
}

static void caller_on_down(void *user, struct hub_link link, enum hub_reason reason)
{
    (void)link;
    caller_answer(user, hub_reason_sentence(reason));
}

static void caller_on_timer(uv_timer_t *timer)
{
    caller_answer(timer->data, "no answer");
}

static void caller_call(struct caller *caller, const char *address_text, const char *key_text)
{
    struct address address;
    struct transport_key peer;
    struct hub_config config = {.public_key = caller->key,
                                .secret_key = caller->secret,
                                .calls = {.on_up = caller_on_up,
                                          .on_frame = caller_on_frame,
                                          .on_failed = caller_on_failed,
                                          .on_down = caller_on_down},
                                .user = caller};
    uv_loop_init(&caller->loop);
    uv_timer_init(&caller->loop, &caller->timer);
    caller->timer.data = caller;
    uv_timer_start(&caller->timer, caller_on_timer, CALLER_PATIENCE_MS, 0);
    if (address_parse(bytes_of_text(address_text), &address) != OK ||
        ids_from_hex(key_text, peer.bytes, KEY_SIZE) != OK ||
        zap_authenticator_new(&caller->loop, &caller->zap_authenticator) != OK ||
        hub_new(caller->zap_authenticator, &config, &caller->hub) != OK ||
        hub_dial(caller->hub, &address, &peer, &caller->link) != OK)
        abort();
    uv_run(&caller->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&caller->timer, NULL);
    hub_free(caller->hub);
    zap_authenticator_free(caller->zap_authenticator);
    uv_run(&caller->loop, UV_RUN_DEFAULT);
    uv_loop_close(&caller->loop);
}

/* ---- who calls ---- */

static void caller_be_institution(struct caller *caller, const char *data)
{
    struct secure_arena *secrets;
    struct identity identity;
    char problem[IDENTITY_PROBLEM_SIZE];
    if (secure_arena_new(CALLER_ARENA_SIZE, &secrets) != OK ||
        identity_open(data, &PASSPHRASE_TERMINAL, secrets, &identity, problem) != OK)
        abort();
    caller->key = identity.transport_key;
    memcpy(caller->secret, identity.transport_secret, KEY_SIZE);
    secure_arena_free(secrets);
}

static void caller_be_publisher(struct caller *caller, const char *folder, const char *passphrase)
{
    struct keyfile keyfile;
    char path[512];
    uint8_t memory[PASSPHRASE_SIZE_MAX];
    struct buffer words = buffer_over(memory, sizeof memory);
    struct buffer secret = buffer_over(caller->secret, sizeof caller->secret);
    struct passphrase_source source = {.file = passphrase, .fd = -1};
    snprintf(path, sizeof path, "%s/publisher.key", folder);
    if (passphrase_read(&source, "", false, &words) != OK ||
        keyfile_unseal(path, KEYFILE_PUBLISHER, buffer_bytes(&words), &keyfile, &secret) != OK)
        abort();
    memcpy(caller->key.bytes, keyfile.public_part, KEY_SIZE);
}

static int caller_print_key(const char *data)
{
    struct identity identity;
    char problem[IDENTITY_PROBLEM_SIZE], hex[2 * KEY_SIZE + 1];
    if (identity_peek(data, &identity, problem) != OK)
        return 1;
    ids_to_hex(ID_BYTES(identity.transport_key), hex);
    puts(hex);
    return 0;
}

int main(int argc, char **argv)
{
    struct caller caller = {0};
    if (sodium_init() < 0 || argc < 3)
        return 2;
    if (strcmp(argv[1], "key") == 0)
        return caller_print_key(argv[2]);
    if (argc < 4)
        return 2;
    if (strcmp(argv[1], "dial") == 0 && argc == 4) {
        crypto_box_keypair(caller.key.bytes, caller.secret);
    } else if (strcmp(argv[1], "dial") == 0) {
        caller_be_institution(&caller, argv[4]);
    } else if (strcmp(argv[1], "publish") == 0 && argc > 7) {
        caller.is_publisher = true;
        caller_be_publisher(&caller, argv[5], argv[6]);
        caller.heads = argv + 7;
        caller.head_count = argc - 7;
    } else if (strcmp(argv[1], "heads") == 0 && argc > 6) {
        caller.is_member = true;
        caller_be_institution(&caller, argv[5]);
        caller.heads = argv + 6;
        caller.head_count = argc - 6;
    } else {
        return 2;
    }
    if (caller.head_count > 0 && !society_directory_open(&caller.society, argv[4], false))
        return 1;
    caller_call(&caller, argv[2], argv[3]);
    if (caller.head_count > 0)
        society_directory_close(&caller.society);
    return 0;
}
