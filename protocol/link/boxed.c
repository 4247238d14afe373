/* State by event; `^` tells the caller up, `v` down; `.` leaves all as it was and drops the frame.
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
 * (1) The peer believes in a session that we lost (a restart, a lost frame). It cannot be told so
 *     in a way that it could trust, but a handshake it can: at most one in BOXED_REDIAL_MS. */
#include "protocol/link/boxed.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "protocol/hash.h"

enum boxed_type { BOXED_INIT = 1, BOXED_RESP = 2, BOXED_DATA = 3, BOXED_KEEP = 4, BOXED_END = 5 };

void boxed_init(struct boxed *boxed, const struct boxed_identity *identity,
                const struct transport_key *relay, const struct transport_key *peer)
{
    const uint8_t version = BOXED_VERSION;
    const struct bytes parts[] = {
        {&version, 1},
        ID_BYTES(identity->federation),
        ID_BYTES(*relay),
    };
    *boxed = (struct boxed){
        .state = BOXED_IDLE,
        .identity = identity,
        .peer = *peer,
        .prologue = hash_parts(CONTEXT_LINK_PROLOGUE, parts, sizeof parts / sizeof parts[0]),
    };
}

void boxed_clear(struct boxed *boxed)
{
    sodium_memzero(boxed, sizeof *boxed);
}

bool boxed_is_up(const struct boxed *boxed)
{
    return boxed->state == BOXED_CONNECTED;
}

static uint8_t boxed_type_of(struct bytes box)
{
    return box.size > 0 ? box.data[0] : 0;
}

static bool boxed_may_dial(const struct boxed *boxed, struct mono now)
{
    return boxed->state == BOXED_IDLE && now.ms >= boxed->redial_after.ms;
}

bool boxed_needs_secret(const struct boxed *boxed, const struct boxed_event *event)
{
    if (event->kind == BOXED_EVENT_DIAL)
        return boxed->state == BOXED_IDLE;
    if (event->kind != BOXED_EVENT_FRAME)
        return false;
    uint8_t type = boxed_type_of(event->bytes);
    if (type == BOXED_INIT)
        return true;
    return (type == BOXED_DATA || type == BOXED_KEEP) && boxed_may_dial(boxed, event->now);
}

/* Every change of state: keys of the state that is left are wiped. */
static void boxed_enter(struct boxed *boxed, enum boxed_state state, struct mono now)
{
    if (state != BOXED_DIALED)
        noise_clear(&boxed->handshake);
    if (state == BOXED_IDLE || state == BOXED_DIALED)
        sodium_memzero(&boxed->session, sizeof boxed->session);
    boxed->state = state;
    boxed->entered_at = now;
    boxed->sent_at = now;
    boxed->heard_at = now;
}

static void boxed_down(struct boxed *boxed, enum boxed_reason reason, struct mono now,
                       struct boxed_step *step)
{
    boxed_enter(boxed, BOXED_IDLE, now);
    step->change = BOXED_DOWN;
    step->reason = reason;
}

/* A key of small order as peer never completes a handshake; the dial just fails. */
static void boxed_dial(struct boxed *boxed, const struct boxed_event *event,
                       struct boxed_step *step)
{
    assert(event->secret != NULL);
    struct buffer buffer = buffer_over(boxed->init, sizeof boxed->init);
    boxed_enter(boxed, BOXED_DIALED, event->now);
    boxed->redial_after.ms = event->now.ms + BOXED_REDIAL_MS;
    noise_begin(&boxed->handshake, NOISE_INITIATOR, ID_BYTES(boxed->prologue),
                boxed->identity->local_secret, &boxed->peer);
    buffer_u8(&buffer, BOXED_INIT);
    if (noise_write(&boxed->handshake, event->secret, BYTES_NONE, &buffer) != OK) {
        boxed_down(boxed, BOXED_REASON_FAILED, event->now, step);
        return;
    }
    step->send = buffer_bytes(&buffer);
}

/* Answers a first message. A bad one touches nothing: anybody may send us that. */
static void boxed_answer(struct boxed *boxed, const struct boxed_event *event,
                         struct boxed_step *step)
{
    assert(event->secret != NULL);
    struct noise_handshake handshake;
    struct buffer none = buffer_over(NULL, 0);
    struct buffer buffer = buffer_over(step->send_memory, sizeof step->send_memory);
    struct bytes message = {event->bytes.data + 1, event->bytes.size - 1};
    bool was_up = boxed_is_up(boxed);
    noise_begin(&handshake, NOISE_RESPONDER, ID_BYTES(boxed->prologue),
                boxed->identity->local_secret, &boxed->peer);
    buffer_u8(&buffer, BOXED_RESP);
    if (event->bytes.size != BOXED_HANDSHAKE_SIZE || noise_read(&handshake, message, &none) != OK ||
        noise_write(&handshake, event->secret, BYTES_NONE, &buffer) != OK) {
        noise_clear(&handshake);
        step->dropped = true;
        return;
    }
    memcpy(boxed->peer_ephemeral.bytes, message.data, KEY_SIZE);
    boxed_enter(boxed, BOXED_ANSWERED, event->now);
    noise_split(&handshake, &boxed->session);
    step->send = buffer_bytes(&buffer);
    step->change = was_up ? BOXED_DOWN : BOXED_SAME;
    step->reason = was_up ? BOXED_REASON_REPLACED : BOXED_REASON_NONE;
}

static void boxed_on_init(struct boxed *boxed, const struct boxed_event *event,
                          struct boxed_step *step)
{
    bool answered = boxed->state == BOXED_ANSWERED || boxed->state == BOXED_CONNECTED;
    bool copy = answered && event->bytes.size == BOXED_HANDSHAKE_SIZE &&
                memcmp(event->bytes.data + 1, boxed->peer_ephemeral.bytes, KEY_SIZE) == 0;
    bool smaller =
        memcmp(boxed->identity->local.bytes, boxed->peer.bytes, sizeof boxed->peer.bytes) < 0;
    if (copy) {
        step->dropped = true;
    } else if (boxed->state == BOXED_DIALED && smaller) {
        /* Ours may have been lost on its way; a second copy of it counts nothing over there. */
        memcpy(step->send_memory, boxed->init, sizeof boxed->init);
        step->send = (struct bytes){step->send_memory, sizeof boxed->init};
        step->dropped = true;
    } else {
        boxed_answer(boxed, event, step);
    }
}

/* Seals one box of this type. False when the session is at its end instead. */
static bool boxed_seal(struct boxed *boxed, enum boxed_type type, struct bytes plain,
                       struct mono now, struct boxed_step *step)
{
    const uint8_t kind = (uint8_t)type;
    struct buffer buffer = buffer_over(step->send_memory, sizeof step->send_memory);
    buffer_u8(&buffer, kind);
    err result = noise_seal(&boxed->session.sending, (struct bytes){&kind, 1}, plain, &buffer);
    if (result != OK) {
        assert(result == ERR_OVER_BUDGET);
        return false;
    }
    boxed->sent_at = now;
    step->send = buffer_bytes(&buffer);
    return true;
}

static void boxed_on_resp(struct boxed *boxed, const struct boxed_event *event,
                          struct boxed_step *step)
{
    struct buffer none = buffer_over(NULL, 0);
    struct bytes message = {event->bytes.data + 1, event->bytes.size - 1};
    if (boxed->state != BOXED_DIALED) {
        step->dropped = true;
        return;
    }
    if (event->bytes.size != BOXED_HANDSHAKE_SIZE ||
        noise_read(&boxed->handshake, message, &none) != OK) {
        step->dropped = true;
        boxed_down(boxed, BOXED_REASON_FAILED, event->now, step);
        return;
    }
    noise_split(&boxed->handshake, &boxed->session);
    boxed_enter(boxed, BOXED_CONNECTED, event->now);
    step->change = BOXED_UP;
    bool sealed = boxed_seal(boxed, BOXED_KEEP, BYTES_NONE, event->now, step);
    assert(sealed);
}

/* Opens a sealed box into the step; false when it is not the next one, or not of its shape. */
static bool boxed_open(struct boxed *boxed, struct bytes box, struct boxed_step *step)
{
    struct buffer plain = buffer_over(step->opened_memory, sizeof step->opened_memory);
    struct bytes kind = {box.data, 1}, sealed = {box.data + 1, box.size - 1};
    if (noise_open(&boxed->session.receiving, kind, sealed, &plain) != OK)
        return false;
    if ((plain.size > 0) != (kind.data[0] == BOXED_DATA))
        return false;
    step->opened = buffer_bytes(&plain);
    return true;
}

static void boxed_on_sealed(struct boxed *boxed, const struct boxed_event *event,
                            struct boxed_step *step)
{
    uint8_t type = boxed_type_of(event->bytes);
    if (boxed->state == BOXED_IDLE || boxed->state == BOXED_DIALED) {
        step->dropped = true;
        if (type != BOXED_END && boxed_may_dial(boxed, event->now))
            boxed_dial(boxed, event, step);
        return;
    }
    if (!boxed_open(boxed, event->bytes, step)) {
        step->dropped = true;
        boxed_down(boxed, BOXED_REASON_FAILED, event->now, step);
        return;
    }
    if (type == BOXED_END) {
        boxed_down(boxed, BOXED_REASON_ENDED, event->now, step);
        return;
    }
    if (boxed->state == BOXED_ANSWERED) {
        boxed_enter(boxed, BOXED_CONNECTED, event->now);
        step->change = BOXED_UP;
    }
    boxed->heard_at = event->now;
}

static void boxed_on_frame(struct boxed *boxed, const struct boxed_event *event,
                           struct boxed_step *step)
{
    uint8_t type = boxed_type_of(event->bytes);
    if (event->bytes.size > BOXED_SIZE_MAX)
        step->dropped = true;
    else if (type == BOXED_INIT)
        boxed_on_init(boxed, event, step);
    else if (type == BOXED_RESP)
        boxed_on_resp(boxed, event, step);
    else if (type == BOXED_DATA || type == BOXED_KEEP || type == BOXED_END)
        boxed_on_sealed(boxed, event, step);
    else
        step->dropped = true;
}

static void boxed_on_send(struct boxed *boxed, const struct boxed_event *event,
                          struct boxed_step *step)
{
    assert(event->bytes.size > 0 && event->bytes.size <= FRAME_SIZE_MAX);
    if (boxed->state != BOXED_CONNECTED)
        step->dropped = true;
    else if (!boxed_seal(boxed, BOXED_DATA, event->bytes, event->now, step))
        boxed_down(boxed, BOXED_REASON_AGED, event->now, step);
}

/* The session ends from our side, and the peer is told as far as the cipher still allows. */
static void boxed_end(struct boxed *boxed, enum boxed_reason reason, struct mono now,
                      struct boxed_step *step)
{
    if (boxed->state == BOXED_CONNECTED)
        (void)boxed_seal(boxed, BOXED_END, BYTES_NONE, now, step);
    if (boxed->state != BOXED_IDLE)
        boxed_down(boxed, reason, now, step);
    boxed->redial_after.ms = now.ms + BOXED_REDIAL_MS; /* what is under way is no reason to dial */
}

static bool boxed_passed(struct mono since, uint64_t ms, struct mono now)
{
    return now.ms >= since.ms && now.ms - since.ms >= ms;
}

static void boxed_on_time(struct boxed *boxed, struct mono now, struct boxed_step *step)
{
    switch (boxed->state) {
    case BOXED_IDLE:
        return;
    case BOXED_DIALED:
    case BOXED_ANSWERED:
        if (boxed_passed(boxed->entered_at, BOXED_DIAL_MS, now))
            boxed_down(boxed, BOXED_REASON_TIMEOUT, now, step);
        return;
    case BOXED_CONNECTED:
        if (boxed_passed(boxed->heard_at, BOXED_SILENT_MS, now))
            boxed_down(boxed, BOXED_REASON_SILENT, now, step);
        else if (boxed_passed(boxed->entered_at, BOXED_AGE_MS, now))
            boxed_end(boxed, BOXED_REASON_AGED, now, step);
        else if (boxed_passed(boxed->sent_at, BOXED_KEEP_MS, now) &&
                 !boxed_seal(boxed, BOXED_KEEP, BYTES_NONE, now, step))
            boxed_down(boxed, BOXED_REASON_AGED, now, step);
        return;
    }
}

void boxed_on_event(struct boxed *boxed, const struct boxed_event *event,
                    struct boxed_step *ret_step)
{
    ret_step->send = BYTES_NONE;
    ret_step->opened = BYTES_NONE;
    ret_step->change = BOXED_SAME;
    ret_step->reason = BOXED_REASON_NONE;
    ret_step->dropped = false;
    switch (event->kind) {
    case BOXED_EVENT_DIAL:
        if (boxed->state == BOXED_IDLE)
            boxed_dial(boxed, event, ret_step);
        return;
    case BOXED_EVENT_FRAME:
        boxed_on_frame(boxed, event, ret_step);
        return;
    case BOXED_EVENT_SEND:
        boxed_on_send(boxed, event, ret_step);
        return;
    case BOXED_EVENT_TIME:
        boxed_on_time(boxed, event->now, ret_step);
        return;
    case BOXED_EVENT_LOST:
        if (boxed->state != BOXED_IDLE)
            boxed_down(boxed, BOXED_REASON_LOST, event->now, ret_step);
        return;
    case BOXED_EVENT_HANG_UP:
        boxed_end(boxed, BOXED_REASON_ENDED, event->now, ret_step);
        return;
    }
}

static uint64_t boxed_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct mono boxed_deadline(const struct boxed *boxed)
{
    if (boxed->state == BOXED_IDLE)
        return (struct mono){UINT64_MAX};
    if (boxed->state != BOXED_CONNECTED)
        return (struct mono){boxed->entered_at.ms + BOXED_DIAL_MS};
    uint64_t keep = boxed->sent_at.ms + BOXED_KEEP_MS;
    uint64_t silent = boxed->heard_at.ms + BOXED_SILENT_MS;
    uint64_t aged = boxed->entered_at.ms + BOXED_AGE_MS;
    return (struct mono){boxed_least(keep, boxed_least(silent, aged))};
}
