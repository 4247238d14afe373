#include "bootstrap/society/society_publish.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bootstrap/directory/society_key.h"
#include "bootstrap/present/society_published.h"
#include "bootstrap/society/head_delivery.h"
#include "bootstrap/society/society_invite.h"
#include "bootstrap/terminal/terminal.h"
#include "node/net/hub.h"
#include "node/os/address.h"
#include "protocol/relay/publication.h"
#include "protocol/wire/relay_credit.h"

enum { PUBLISH_TICK_MS = 100, PUBLISH_QUEUE = 4096 };

enum publish_stage {
    PUBLISH_DIALLED,
    PUBLISH_GREETED, /* hello sent */
    PUBLISH_SENDING,
    PUBLISH_TAKEN, /* holds our head now */
    PUBLISH_HAD,   /* held it before */
    PUBLISH_REFUSED,
};

struct publish_relay {
    const struct settings_relay *listed;
    struct hub_link link;
    enum publish_stage stage;
    err result;           /* with PUBLISH_REFUSED, or why not yet */
    const char *problem;  /* what is wrong; NULL: the sentence of `result` */
    const char *advice;   /* what to do; NULL: repeat `publish` */
    uint8_t *publication; /* owned */
    size_t publication_size;
    uint32_t part;
    struct relay_credit credit;
    uint32_t watched, told; /* keys watched, keys whose presence was reported */
};

struct publish {
    const struct society_options *options;
    struct society *society;
    uint64_t *epochs; /* owned */
    uint32_t epoch_count;
    struct transport_key key;
    uv_loop_t loop;
    uv_timer_t timer;
    struct zap_authenticator *zap_authenticator;
    struct hub *hub;
    struct head_delivery *delivery;
    struct publish_relay relays[RELAY_COUNT_MAX];
    struct transport_key relay_keys[RELAY_COUNT_MAX];
    uint32_t relay_count;
    uint64_t ends_at_ms;
    bool ending;
    uint8_t frame[RELAY_FORWARD_SIZE_MAX];
};

static struct publish_relay *publish_of_link(struct publish *publish, struct hub_link link)
{
    for (uint32_t i = 0; i < publish->relay_count; i++) {
        if (publish->relays[i].link.id == link.id)
            return &publish->relays[i];
    }
    return NULL;
}

static void publish_write(struct publish *publish, struct publish_relay *relay,
                          const struct relay_frame *frame)
{
    struct buffer buffer = buffer_over(publish->frame, sizeof publish->frame);
    relay_frame_write(frame, &buffer);
    if (!buffer.failed && hub_send(publish->hub, relay->link, buffer_bytes(&buffer)) != OK)
        relay->result = ERR_BUSY;
}

static void publish_refused(struct publish_relay *relay, err result, const char *problem,
                            const char *advice)
{
    relay->advice = advice;
    relay->stage = PUBLISH_REFUSED;
    relay->result = result;
    relay->problem = problem;
}

/* ---- the publication ---- */

static bool publish_add_heads(struct publish *publish, uint32_t first, struct buffer *all)
{
    for (uint32_t i = first; i < publish->epoch_count; i++) {
        uint8_t *data;
        size_t size;
        if (!society_directory_read_head(publish->society, publish->epochs[i], &data, &size))
            return false;
        publication_put(all, (struct bytes){data, size});
        free(data);
    }
    return true;
}

/* The heads above `epoch`, and the list. */
static bool publish_compose(struct publish *publish, struct publish_relay *relay, uint64_t epoch)
{
    struct bytes list = roster_transport_list(&publish->society->roster);
    uint32_t first = 0;
    while (first < publish->epoch_count && publish->epochs[first] <= epoch)
        first++;
    size_t count = publish->epoch_count - first;
    size_t size = 4 + count * (2 + HEAD_SIZE_MAX) + list.size;
    struct buffer all = buffer_over(malloc(size), size);
    if (all.data == NULL)
        return false;
    free(relay->publication);
    relay->publication = all.data;
    publication_begin(&all, (uint32_t)count);
    if (!publish_add_heads(publish, first, &all))
        return false;
    buffer_put(&all, list.data, list.size);
    relay->publication_size = all.size;
    relay->part = 0;
    return !all.failed;
}

static void publish_send_parts(struct publish *publish, struct publish_relay *relay)
{
    struct bytes all = {relay->publication, relay->publication_size};
    while (relay->stage == PUBLISH_SENDING) {
        struct buffer part = buffer_over(publish->frame, sizeof publish->frame);
        if (!publication_part(all, relay->part, &part) ||
            hub_send(publish->hub, relay->link, buffer_bytes(&part)) != OK)
            return;
        relay->part++;
    }
}

/* ---- who is there ---- */

static void publish_watch(struct publish *publish, struct publish_relay *relay)
{
    struct relay_entry entries[RELAY_KEY_COUNT_MAX];
    const struct roster *roster = &publish->society->roster;
    uint16_t count = 0;
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        if (entry->state == MEMBER_ADMITTED && relay->watched < relay->credit.limits.watch_count) {
            entries[count++] = (struct relay_entry){.key = entry->transport_key};
            relay->watched++;
        }
        if (count == 0 || (count < RELAY_KEY_COUNT_MAX && i + 1 < roster_count(roster)))
            continue;
        struct buffer buffer = buffer_over(publish->frame, sizeof publish->frame);
        relay_frame_write_list(RELAY_WATCH, entries, count, &buffer);
        if (hub_send(publish->hub, relay->link, buffer_bytes(&buffer)) != OK)
            return;
        count = 0;
    }
}

static bool publish_may_send(void *arg, uint32_t index, const struct transport_key *to, size_t size)
{
    struct publish *publish = arg;
    return relay_credit_take(&publish->relays[index].credit, to, size);
}

static void publish_forward(void *arg, uint32_t index, const struct transport_key *to,
                            struct bytes box)
{
    struct publish *publish = arg;
    struct relay_frame frame = {.type = RELAY_FORWARD, .key = *to, .body = box};
    publish_write(publish, &publish->relays[index], &frame);
}

static struct mono publish_now(void *arg)
{
    (void)arg;
    return (struct mono){uv_hrtime() / 1000000};
}

/* ---- frames from a relay ---- */

static uint32_t publish_index(const struct publish *publish, const struct publish_relay *relay)
{
    return (uint32_t)(relay - publish->relays);
}

/* True for the last head of the other side of a split that our history heals. */
static bool publish_healed(struct publish *publish, const struct head_id *id)
{
    bool healed = false;
    for (uint32_t i = publish->epoch_count; !healed && i > 0; i--) {
        struct roster_head_signed signed_head;
        struct roster_head head;
        uint8_t *data;
        size_t size;
        if (!society_directory_read_head(publish->society, publish->epochs[i - 1], &data, &size))
            return false;
        if (roster_head_signed_read((struct bytes){data, size}, &signed_head) == OK &&
            roster_head_read(signed_head.body, &head) == OK && head.heal_count > 0)
            healed = ID_EQUAL(head.heals[0], *id) || ID_EQUAL(head.heals[1], *id);
        free(data);
    }
    return healed;
}

static void publish_on_welcome(struct publish *publish, struct publish_relay *relay,
                               const struct relay_frame *frame)
{
    const struct chain *chain = &publish->society->roster.chain;
    const struct chain_link *last = chain_last(chain);
    relay_credit_init(&relay->credit, &frame->limits);
    relay->watched = relay->told = 0;
    if (frame->head.epoch > 0 && ID_EQUAL(frame->head.id, last->id)) {
        relay->stage = PUBLISH_HAD;
        publish_watch(publish, relay);
        return;
    }
    if (frame->head.epoch > 0 && chain_find(chain, &frame->head.id) == NULL &&
        !publish_healed(publish, &frame->head.id)) {
        publish_refused(relay, ERR_FORKED,
                        frame->head.epoch > last->epoch
                            ? "it holds a newer head: this directory is not the newest copy"
                            : "it holds a head that is not in this directory's history",
                        frame->head.epoch > last->epoch
                            ? "copy the directory from the officer who signed last"
                            : "ask all officers which heads they signed: two heads at one epoch "
                              "are a split; see `heal --help`");
        return;
    }
    if (!publish_compose(publish, relay, frame->head.epoch)) {
        publish_refused(relay, ERR_NO_MEMORY, NULL, NULL);
        return;
    }
    if (relay->publication_size > frame->limits.publish_size) {
        publish_refused(relay, ERR_TOO_LARGE, "the history is larger than this relay accepts",
                        "ask its operator to raise `publish-size`");
        return;
    }
    relay->stage = PUBLISH_SENDING;
    publish_send_parts(publish, relay);
}

static void publish_on_published(struct publish *publish, struct publish_relay *relay,
                                 const struct relay_frame *frame)
{
    struct head_id tip = roster_current_id(&publish->society->roster);
    if ((frame->result == OK || frame->result == ERR_DUPLICATE) && ID_EQUAL(frame->head.id, tip)) {
        relay->stage = PUBLISH_TAKEN;
        publish_watch(publish, relay);
    } else {
        publish_refused(relay, frame->result < ERR_COUNT ? (err)frame->result : ERR_UNSUPPORTED,
                        frame->result == ERR_FORKED ? "it accepts a head that heals a split only "
                                                      "when its setting `healing` names that head"
                                                    : NULL,
                        frame->result == ERR_FORKED
                            ? "two officers read the id of this head (`show`) to its operator"
                            : NULL);
    }
}

static void publish_on_lists(struct publish *publish, struct publish_relay *relay,
                             const struct relay_frame *frame)
{
    uint32_t index = publish_index(publish, relay);
    for (uint16_t i = 0; i < frame->count; i++) {
        struct relay_entry entry = relay_frame_entry(frame, i);
        if (frame->type == RELAY_CREDIT) {
            relay_credit_give(&relay->credit, &entry.key, entry.value);
            continue;
        }
        relay->told++;
        head_delivery_present(publish->delivery, index, &entry.key, entry.value != 0);
    }
}

static void publish_on_status(struct publish *publish, struct publish_relay *relay,
                              const struct relay_frame *frame)
{
    if (frame->code == RELAY_REFUSED) {
        publish_refused(
            relay, ERR_NOT_ENTITLED,
            "it does not list this publisher's key, or belongs to another federation",
            "ask its operator to set `federation` and `publisher` to what `show` prints");
        return;
    }
    if (frame->code == RELAY_DRAINING || ID_IS_ZERO(frame->key))
        return;
    relay_credit_give(&relay->credit, &frame->key, frame->units);
    head_delivery_lost(publish->delivery, publish_index(publish, relay), &frame->key);
}

static void publish_heard(struct publish *publish, struct publish_relay *relay,
                          const struct relay_frame *frame)
{
    if (frame->type == RELAY_WELCOME)
        publish_on_welcome(publish, relay, frame);
    else if (frame->type == RELAY_PUBLISHED)
        publish_on_published(publish, relay, frame);
    else if (frame->type == RELAY_PRESENCE || frame->type == RELAY_CREDIT)
        publish_on_lists(publish, relay, frame);
    else if (frame->type == RELAY_DELIVER)
        head_delivery_box(publish->delivery, publish_index(publish, relay), &frame->key,
                          frame->body);
    else if (frame->type == RELAY_STATUS)
        publish_on_status(publish, relay, frame);
}

/* ---- the hub's calls ---- */

static void publish_on_up(void *user, struct hub_link link, const struct transport_key *peer,
                          enum hub_direction direction)
{
    struct publish *publish = user;
    struct publish_relay *relay = publish_of_link(publish, link);
    const struct chain_link *last = chain_last(&publish->society->roster.chain);
    struct relay_frame hello = {.type = RELAY_HELLO,
                                .version_min = RELAY_VERSION,
                                .version_max = RELAY_VERSION,
                                .federation = roster_federation(&publish->society->roster),
                                .head = {last->epoch, last->id}};
    (void)peer;
    (void)direction;
    if (relay == NULL || relay->stage == PUBLISH_REFUSED)
        return;
    relay->stage = PUBLISH_GREETED;
    publish_write(publish, relay, &hello);
}

static void publish_on_frame(void *user, struct hub_link link, struct bytes bytes)
{
    struct publish *publish = user;
    struct publish_relay *relay = publish_of_link(publish, link);
    struct relay_frame frame;
    if (relay != NULL && relay_frame_parse(bytes, &frame) == OK)
        publish_heard(publish, relay, &frame);
}

static void publish_on_failed(void *user, struct hub_link link, enum hub_reason reason)
{
    struct publish_relay *relay = publish_of_link(user, link);
    if (relay != NULL && relay->stage < PUBLISH_TAKEN) {
        relay->problem = hub_reason_sentence(reason);
        relay->advice = society_published_advice(reason);
    }
}

static void publish_on_down(void *user, struct hub_link link, enum hub_reason reason)
{
    struct publish *publish = user;
    struct publish_relay *relay = publish_of_link(publish, link);
    publish_on_failed(user, link, reason);
    if (relay != NULL)
        head_delivery_relay_down(publish->delivery, publish_index(publish, relay));
}

static void publish_on_drained(void *user, struct hub_link link)
{
    struct publish *publish = user;
    struct publish_relay *relay = publish_of_link(publish, link);
    if (relay != NULL)
        publish_send_parts(publish, relay);
}

/* ---- the loop ---- */

/* Waiting longer changes nothing. */
static bool publish_settled(const struct publish *publish)
{
    struct head_delivery_counts counts = head_delivery_counts(publish->delivery);
    for (uint32_t i = 0; i < publish->relay_count; i++) {
        const struct publish_relay *relay = &publish->relays[i];
        if (relay->stage < PUBLISH_TAKEN)
            return false;
        if (relay->stage != PUBLISH_REFUSED && relay->told < relay->watched)
            return false;
    }
    return counts.pending == 0;
}

static void publish_end(struct publish *publish)
{
    publish->ending = true;
    uv_timer_stop(&publish->timer);
    uv_close((uv_handle_t *)&publish->timer, NULL);
    hub_free(publish->hub);
    zap_authenticator_free(publish->zap_authenticator);
}

static void publish_on_timer(uv_timer_t *timer)
{
    struct publish *publish = timer->data;
    head_delivery_go_on(publish->delivery);
    if (!publish->ending &&
        (publish_settled(publish) || publish_now(NULL).ms >= publish->ends_at_ms))
        publish_end(publish);
}

static bool publish_dial(struct publish *publish)
{
    const struct settings *settings = roster_settings(&publish->society->roster);
    for (uint32_t i = 0; i < settings->relay_count; i++) {
        struct publish_relay *relay = &publish->relays[publish->relay_count];
        struct address address;
        relay->listed = &settings->relays[i];
        publish->relay_keys[publish->relay_count++] = settings->relays[i].key;
        if (address_parse(relay->listed->endpoint, &address) != OK ||
            hub_dial(publish->hub, &address, &relay->listed->key, &relay->link) != OK)
            publish_refused(relay, ERR_INVALID, "its address is not valid",
                            "`relay add` it again with tcp://HOST:PORT");
    }
    return publish->relay_count > 0;
}

static bool publish_open(struct publish *publish, const uint8_t *secret)
{
    struct hub_config hub = {
        .public_key = publish->key,
        .secret_key = secret,
        .queue_count_max = PUBLISH_QUEUE,
        .calls = {publish_on_up, publish_on_frame, publish_on_down, publish_on_drained,
                  publish_on_failed},
        .user = publish,
    };
    if (zap_authenticator_new(&publish->loop, &publish->zap_authenticator) != OK)
        return false;
    if (hub_new(publish->zap_authenticator, &hub, &publish->hub) != OK) {
        zap_authenticator_free(publish->zap_authenticator);
        return false;
    }
    (void)publish_dial(publish);
    struct head_delivery_config delivery = {
        .society = publish->society,
        .epochs = publish->epochs,
        .epoch_count = publish->epoch_count,
        .identity = {roster_federation(&publish->society->roster), publish->key, secret},
        .relays = publish->relay_keys,
        .relay_count = publish->relay_count,
        .may_send = publish_may_send,
        .send = publish_forward,
        .now = publish_now,
        .arg = publish,
    };
    publish->delivery = head_delivery_new(&delivery);
    uv_timer_init(&publish->loop, &publish->timer);
    publish->timer.data = publish;
    if (publish->delivery == NULL) {
        publish_end(publish);
        return false;
    }
    uv_timer_start(&publish->timer, publish_on_timer, PUBLISH_TICK_MS, PUBLISH_TICK_MS);
    return true;
}

/* ---- the report ---- */

static const char *publish_outcome(const struct publish_relay *relay)
{
    switch (relay->stage) {
    case PUBLISH_TAKEN:
        return "took it";
    case PUBLISH_HAD:
        return "had it already";
    case PUBLISH_DIALLED:
    case PUBLISH_GREETED:
    case PUBLISH_SENDING:
    case PUBLISH_REFUSED:
        break;
    }
    if (relay->problem != NULL)
        return relay->problem;
    return relay->stage == PUBLISH_REFUSED ? err_sentence(relay->result) : "no answer in time";
}

static bool publish_holds(const struct publish_relay *relay)
{
    return relay->stage == PUBLISH_TAKEN || relay->stage == PUBLISH_HAD;
}

static int publish_report(const struct publish *publish)
{
    struct head_delivery_counts counts = head_delivery_counts(publish->delivery);
    struct society_published published = {.relay_count = publish->relay_count,
                                          .connected = counts.connected,
                                          .reached = counts.reached};
    for (uint32_t i = 0; i < publish->relay_count; i++) {
        const struct publish_relay *relay = &publish->relays[i];
        published.relays[i] = (struct society_published_relay){
            relay->listed, publish_holds(relay), publish_outcome(relay), relay->advice};
    }
    return society_published_report(publish->society, &published, publish->options->json);
}

/* ---- the command ---- */

static int publish_run(struct publish *publish, const uint8_t *secret)
{
    int status = 1;
    uv_loop_init(&publish->loop);
    publish->ends_at_ms = publish_now(NULL).ms + publish->options->wait_seconds * 1000;
    if (publish_open(publish, secret)) {
        uv_run(&publish->loop, UV_RUN_DEFAULT);
        status = publish_report(publish);
    } else {
        uv_run(&publish->loop, UV_RUN_DEFAULT);
        terminal_error(
            "cannot open network sockets; check the limits of this machine (`ulimit -n`)");
    }
    head_delivery_free(publish->delivery);
    uv_loop_close(&publish->loop);
    for (uint32_t i = 0; i < publish->relay_count; i++)
        free(publish->relays[i].publication);
    return status;
}

static bool publish_check(const struct publish *publish)
{
    const struct roster *roster = &publish->society->roster;
    enum transport_role role;
    if (!roster->filled)
        return terminal_error("the federation is not founded yet: all its officers must `sign` the "
                              "founding head first") == 0;
    if (roster_settings(roster)->relay_count == 0)
        return terminal_error("the roster in force lists no relay; `relay add` one, and let the "
                              "officers `sign`") == 0;
    if (!transport_list_find(roster_transport_list(roster), &publish->key, &role) ||
        role != TRANSPORT_PUBLISHER)
        return terminal_error("the roster in force does not list this publisher's key; "
                              "`publisher add` it, and let the officers `sign`") == 0;
    return true;
}

static int publish_opened(struct publish *publish)
{
    struct secure_arena *arena;
    const uint8_t *secret;
    struct society_public own;
    if (!society_key_peek(&society_key_publisher, publish->options->own.folder, &own))
        return 1;
    memcpy(publish->key.bytes, own.key, KEY_SIZE);
    if (!publish_check(publish))
        return 1;
    society_published_warn(publish->society);
    publish->epochs = malloc(publish->society->roster.chain.count * sizeof *publish->epochs);
    if (publish->epochs == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    publish->epoch_count = society_directory_epochs(publish->society, publish->epochs);
    int status = 1;
    if (publish->epoch_count > 0 &&
        society_key_open(&society_key_publisher, &publish->options->own, &arena, &secret)) {
        status = publish_run(publish, secret);
        secure_arena_free(arena);
    }
    free(publish->epochs);
    return status;
}

int society_publish_head(const struct society_options *options)
{
    struct publish *publish = calloc(1, sizeof *publish);
    struct society *society = malloc(sizeof *society);
    int status = 1;
    if (publish == NULL || society == NULL) {
        terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    } else if (options->own.folder == NULL) {
        status = terminal_usage("name the folder of the publisher's key with --key");
    } else if (society_directory_open(society, options->society, false)) {
        publish->options = options;
        publish->society = society;
        status = publish_opened(publish);
        society_directory_close(society);
    }
    free(publish);
    free(society);
    return status;
}
