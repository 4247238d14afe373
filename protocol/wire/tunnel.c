/* State by event; `^` reports up to the caller, `v` down; `.` drops the frame and changes nothing.
 *
 *              IDLE         DIALED             ANSWERED     CONNECTED
 *   DIAL       > DIALED     .                  .            .
 *   INIT       > ANSWERED   we are smaller:    > ANSWERED   > ANSWERED v
 *                           repeat our INIT;   (a copy: .)  (a copy: .)
 *                           else > ANSWERED
 *   INIT bad   .            .                  .            .
 *   RESP       .            > CONNECTED ^      .            .
 *   RESP bad   .            > IDLE v           .            .
 *   DATA       > DIALED (1) .                  > CONNECTED ^  opened
 *   KEEP       > DIALED (1) .                  > CONNECTED ^  heard
 *   END        .            .                  > IDLE v     > IDLE v
 *   sealed bad as if good   .                  > IDLE v     > IDLE v
 *   SEND       .            .                  .            sealed and sent
 *   TIME       .            late: > IDLE v     late: > IDLE v  silent, aged: > IDLE v; KEEP
 *   LOST       .            > IDLE v           > IDLE v     > IDLE v
 *   HANG_UP    .            > IDLE v           > IDLE v     > IDLE v, END sent
 *
 * (1) The peer assumes a session that this side lost (a restart, a lost frame). The peer could not
 *     trust a notice about that, but it can trust a handshake: at most one in TUNNEL_REDIAL_MS. */
#include "protocol/wire/tunnel.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "protocol/base/hash.h"

enum tunnel_type {
    TUNNEL_INIT = 1,
    TUNNEL_RESP = 2,
    TUNNEL_DATA = 3,
    TUNNEL_KEEP = 4,
    TUNNEL_END = 5
};

void tunnel_init(struct tunnel *tunnel, const struct tunnel_identity *identity,
                 const struct transport_key *relay, const struct transport_key *peer)
{
    const uint8_t version = TUNNEL_VERSION;
    const struct bytes parts[] = {
        {&version, 1},
        ID_BYTES(identity->federation),
        ID_BYTES(*relay),
    };
    *tunnel = (struct tunnel){
        .state = TUNNEL_IDLE,
        .identity = identity,
        .peer = *peer,
        .prologue = hash_parts(CONTEXT_LINK_PROLOGUE, parts, sizeof parts / sizeof parts[0]),
    };
}

void tunnel_clear(struct tunnel *tunnel)
{
    sodium_memzero(tunnel, sizeof *tunnel);
}

bool tunnel_is_up(const struct tunnel *tunnel)
{
    return tunnel->state == TUNNEL_CONNECTED;
}

static uint8_t tunnel_type_of(struct bytes box)
{
    return box.size > 0 ? box.data[0] : 0;
}

static bool tunnel_may_dial(const struct tunnel *tunnel, struct mono now)
{
    return tunnel->state == TUNNEL_IDLE && now.ms >= tunnel->redial_after.ms;
}

bool tunnel_needs_secret(const struct tunnel *tunnel, const struct tunnel_event *event)
{
    if (event->kind == TUNNEL_EVENT_DIAL)
        return tunnel->state == TUNNEL_IDLE;
    if (event->kind != TUNNEL_EVENT_FRAME)
        return false;
    uint8_t type = tunnel_type_of(event->bytes);
    if (type == TUNNEL_INIT)
        return true;
    return (type == TUNNEL_DATA || type == TUNNEL_KEEP) && tunnel_may_dial(tunnel, event->now);
}

/* Every change of state wipes the keys of the old state. */
static void tunnel_enter(struct tunnel *tunnel, enum tunnel_state state, struct mono now)
{
    if (state != TUNNEL_DIALED)
        noise_clear(&tunnel->handshake);
    if (state == TUNNEL_IDLE || state == TUNNEL_DIALED)
        sodium_memzero(&tunnel->session, sizeof tunnel->session);
    tunnel->state = state;
    tunnel->entered_at = now;
    tunnel->sent_at = now;
    tunnel->heard_at = now;
}

static void tunnel_down(struct tunnel *tunnel, enum tunnel_reason reason, struct mono now,
                        struct tunnel_step *step)
{
    tunnel_enter(tunnel, TUNNEL_IDLE, now);
    step->change = TUNNEL_DOWN;
    step->reason = reason;
}

/* With a key of small order as peer a handshake never completes: the dial just fails. */
static void tunnel_dial(struct tunnel *tunnel, const struct tunnel_event *event,
                        struct tunnel_step *step)
{
    assert(event->secret != NULL);
    struct buffer buffer = buffer_over(tunnel->init, sizeof tunnel->init);
    tunnel_enter(tunnel, TUNNEL_DIALED, event->now);
    tunnel->redial_after.ms = event->now.ms + TUNNEL_REDIAL_MS;
    noise_begin(&tunnel->handshake, NOISE_INITIATOR, ID_BYTES(tunnel->prologue),
                tunnel->identity->local_secret, &tunnel->peer);
    buffer_u8(&buffer, TUNNEL_INIT);
    if (noise_write(&tunnel->handshake, event->secret, BYTES_NONE, &buffer) != OK) {
        tunnel_down(tunnel, TUNNEL_REASON_FAILED, event->now, step);
        return;
    }
    step->send = buffer_bytes(&buffer);
}

/* Answers a first message. An invalid one changes nothing, because any party can send one. */
static void tunnel_answer(struct tunnel *tunnel, const struct tunnel_event *event,
                          struct tunnel_step *step)
{
    assert(event->secret != NULL);
    struct noise_handshake handshake;
    struct buffer none = buffer_over(NULL, 0);
    struct buffer buffer = buffer_over(step->send_memory, sizeof step->send_memory);
    struct bytes message = {event->bytes.data + 1, event->bytes.size - 1};
    bool was_up = tunnel_is_up(tunnel);
    noise_begin(&handshake, NOISE_RESPONDER, ID_BYTES(tunnel->prologue),
                tunnel->identity->local_secret, &tunnel->peer);
    buffer_u8(&buffer, TUNNEL_RESP);
    if (event->bytes.size != TUNNEL_HANDSHAKE_SIZE ||
        noise_read(&handshake, message, &none) != OK ||
        noise_write(&handshake, event->secret, BYTES_NONE, &buffer) != OK) {
        noise_clear(&handshake);
        step->dropped = true;
        return;
    }
    memcpy(tunnel->peer_ephemeral.bytes, message.data, KEY_SIZE);
    tunnel_enter(tunnel, TUNNEL_ANSWERED, event->now);
    noise_split(&handshake, &tunnel->session);
    step->send = buffer_bytes(&buffer);
    step->change = was_up ? TUNNEL_DOWN : TUNNEL_SAME;
    step->reason = was_up ? TUNNEL_REASON_REPLACED : TUNNEL_REASON_NONE;
}

static void tunnel_on_init(struct tunnel *tunnel, const struct tunnel_event *event,
                           struct tunnel_step *step)
{
    bool answered = tunnel->state == TUNNEL_ANSWERED || tunnel->state == TUNNEL_CONNECTED;
    bool copy = answered && event->bytes.size == TUNNEL_HANDSHAKE_SIZE &&
                memcmp(event->bytes.data + 1, tunnel->peer_ephemeral.bytes, KEY_SIZE) == 0;
    bool smaller =
        memcmp(tunnel->identity->local.bytes, tunnel->peer.bytes, sizeof tunnel->peer.bytes) < 0;
    if (copy) {
        step->dropped = true;
    } else if (tunnel->state == TUNNEL_DIALED && smaller) {
        /* Our first message may be lost; the peer ignores a second copy of it. */
        memcpy(step->send_memory, tunnel->init, sizeof tunnel->init);
        step->send = (struct bytes){step->send_memory, sizeof tunnel->init};
        step->dropped = true;
    } else {
        tunnel_answer(tunnel, event, step);
    }
}

/* Seals one box of this type. False when the session ended instead. */
static bool tunnel_seal(struct tunnel *tunnel, enum tunnel_type type, struct bytes plain,
                        struct mono now, struct tunnel_step *step)
{
    const uint8_t kind = (uint8_t)type;
    struct buffer buffer = buffer_over(step->send_memory, sizeof step->send_memory);
    buffer_u8(&buffer, kind);
    err result = noise_seal(&tunnel->session.sending, (struct bytes){&kind, 1}, plain, &buffer);
    if (result != OK) {
        assert(result == ERR_OVER_BUDGET);
        return false;
    }
    tunnel->sent_at = now;
    step->send = buffer_bytes(&buffer);
    return true;
}

static void tunnel_on_resp(struct tunnel *tunnel, const struct tunnel_event *event,
                           struct tunnel_step *step)
{
    struct buffer none = buffer_over(NULL, 0);
    struct bytes message = {event->bytes.data + 1, event->bytes.size - 1};
    if (tunnel->state != TUNNEL_DIALED) {
        step->dropped = true;
        return;
    }
    if (event->bytes.size != TUNNEL_HANDSHAKE_SIZE ||
        noise_read(&tunnel->handshake, message, &none) != OK) {
        step->dropped = true;
        tunnel_down(tunnel, TUNNEL_REASON_FAILED, event->now, step);
        return;
    }
    noise_split(&tunnel->handshake, &tunnel->session);
    tunnel_enter(tunnel, TUNNEL_CONNECTED, event->now);
    step->change = TUNNEL_UP;
    bool sealed = tunnel_seal(tunnel, TUNNEL_KEEP, BYTES_NONE, event->now, step);
    assert(sealed);
}

/* Decrypts a sealed box into the step; false when it is not the next one, or malformed. */
static bool tunnel_open(struct tunnel *tunnel, struct bytes box, struct tunnel_step *step)
{
    struct buffer plain = buffer_over(step->opened_memory, sizeof step->opened_memory);
    struct bytes kind = {box.data, 1}, sealed = {box.data + 1, box.size - 1};
    if (noise_open(&tunnel->session.receiving, kind, sealed, &plain) != OK)
        return false;
    if ((plain.size > 0) != (kind.data[0] == TUNNEL_DATA))
        return false;
    step->opened = buffer_bytes(&plain);
    return true;
}

static void tunnel_on_sealed(struct tunnel *tunnel, const struct tunnel_event *event,
                             struct tunnel_step *step)
{
    uint8_t type = tunnel_type_of(event->bytes);
    if (tunnel->state == TUNNEL_IDLE || tunnel->state == TUNNEL_DIALED) {
        step->dropped = true;
        if (type != TUNNEL_END && tunnel_may_dial(tunnel, event->now))
            tunnel_dial(tunnel, event, step);
        return;
    }
    if (!tunnel_open(tunnel, event->bytes, step)) {
        step->dropped = true;
        tunnel_down(tunnel, TUNNEL_REASON_FAILED, event->now, step);
        return;
    }
    if (type == TUNNEL_END) {
        tunnel_down(tunnel, TUNNEL_REASON_ENDED, event->now, step);
        return;
    }
    if (tunnel->state == TUNNEL_ANSWERED) {
        tunnel_enter(tunnel, TUNNEL_CONNECTED, event->now);
        step->change = TUNNEL_UP;
    }
    tunnel->heard_at = event->now;
}

static void tunnel_on_frame(struct tunnel *tunnel, const struct tunnel_event *event,
                            struct tunnel_step *step)
{
    uint8_t type = tunnel_type_of(event->bytes);
    if (event->bytes.size > TUNNEL_SIZE_MAX)
        step->dropped = true;
    else if (type == TUNNEL_INIT)
        tunnel_on_init(tunnel, event, step);
    else if (type == TUNNEL_RESP)
        tunnel_on_resp(tunnel, event, step);
    else if (type == TUNNEL_DATA || type == TUNNEL_KEEP || type == TUNNEL_END)
        tunnel_on_sealed(tunnel, event, step);
    else
        step->dropped = true;
}

static void tunnel_on_send(struct tunnel *tunnel, const struct tunnel_event *event,
                           struct tunnel_step *step)
{
    assert(event->bytes.size > 0 && event->bytes.size <= FRAME_SIZE_MAX);
    if (tunnel->state != TUNNEL_CONNECTED)
        step->dropped = true;
    else if (!tunnel_seal(tunnel, TUNNEL_DATA, event->bytes, event->now, step))
        tunnel_down(tunnel, TUNNEL_REASON_AGED, event->now, step);
}

/* This side ends the session, and sends END if the cipher still allows it. */
static void tunnel_end(struct tunnel *tunnel, enum tunnel_reason reason, struct mono now,
                       struct tunnel_step *step)
{
    if (tunnel->state == TUNNEL_CONNECTED)
        (void)tunnel_seal(tunnel, TUNNEL_END, BYTES_NONE, now, step);
    if (tunnel->state != TUNNEL_IDLE)
        tunnel_down(tunnel, reason, now, step);
    tunnel->redial_after.ms =
        now.ms + TUNNEL_REDIAL_MS; /* a frame in flight is no reason to dial */
}

static bool tunnel_passed(struct mono since, uint64_t ms, struct mono now)
{
    return now.ms >= since.ms && now.ms - since.ms >= ms;
}

static void tunnel_on_time(struct tunnel *tunnel, struct mono now, struct tunnel_step *step)
{
    switch (tunnel->state) {
    case TUNNEL_IDLE:
        return;
    case TUNNEL_DIALED:
    case TUNNEL_ANSWERED:
        if (tunnel_passed(tunnel->entered_at, TUNNEL_DIAL_MS, now))
            tunnel_down(tunnel, TUNNEL_REASON_TIMEOUT, now, step);
        return;
    case TUNNEL_CONNECTED:
        if (tunnel_passed(tunnel->heard_at, TUNNEL_SILENT_MS, now))
            tunnel_down(tunnel, TUNNEL_REASON_SILENT, now, step);
        else if (tunnel_passed(tunnel->entered_at, TUNNEL_AGE_MS, now))
            tunnel_end(tunnel, TUNNEL_REASON_AGED, now, step);
        else if (tunnel_passed(tunnel->sent_at, TUNNEL_KEEP_MS, now) &&
                 !tunnel_seal(tunnel, TUNNEL_KEEP, BYTES_NONE, now, step))
            tunnel_down(tunnel, TUNNEL_REASON_AGED, now, step);
        return;
    }
}

void tunnel_on_event(struct tunnel *tunnel, const struct tunnel_event *event,
                     struct tunnel_step *ret_step)
{
    ret_step->send = BYTES_NONE;
    ret_step->opened = BYTES_NONE;
    ret_step->change = TUNNEL_SAME;
    ret_step->reason = TUNNEL_REASON_NONE;
    ret_step->dropped = false;
    switch (event->kind) {
    case TUNNEL_EVENT_DIAL:
        if (tunnel->state == TUNNEL_IDLE)
            tunnel_dial(tunnel, event, ret_step);
        return;
    case TUNNEL_EVENT_FRAME:
        tunnel_on_frame(tunnel, event, ret_step);
        return;
    case TUNNEL_EVENT_SEND:
        tunnel_on_send(tunnel, event, ret_step);
        return;
    case TUNNEL_EVENT_TIME:
        tunnel_on_time(tunnel, event->now, ret_step);
        return;
    case TUNNEL_EVENT_LOST:
        if (tunnel->state != TUNNEL_IDLE)
            tunnel_down(tunnel, TUNNEL_REASON_LOST, event->now, ret_step);
        return;
    case TUNNEL_EVENT_HANG_UP:
        tunnel_end(tunnel, TUNNEL_REASON_ENDED, event->now, ret_step);
        return;
    }
}

static uint64_t tunnel_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct mono tunnel_deadline(const struct tunnel *tunnel)
{
    if (tunnel->state == TUNNEL_IDLE)
        return (struct mono){UINT64_MAX};
    if (tunnel->state != TUNNEL_CONNECTED)
        return (struct mono){tunnel->entered_at.ms + TUNNEL_DIAL_MS};
    uint64_t keep = tunnel->sent_at.ms + TUNNEL_KEEP_MS;
    uint64_t silent = tunnel->heard_at.ms + TUNNEL_SILENT_MS;
    uint64_t aged = tunnel->entered_at.ms + TUNNEL_AGE_MS;
    return (struct mono){tunnel_least(keep, tunnel_least(silent, aged))};
}
