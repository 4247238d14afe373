/* A member that means harm and holds keys: whatever the input makes it say in records is sealed and
 * signed as it must be, by its institution and by its clinician, so that it passes every check of a
 * signature, and goes through the whole core with the examination. The other hospital is honest, or
 * another of the same mind; the core has a case of its own that both take part in.
 *
 * The input is a list of acts: u8 what (bits 0-2; bit 3: hospital 3 acts), then what the act needs.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/contents/case_record.h"
#include "tests/harness/single_said.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum act {
    ACT_RECORD,    /* another record in the frame that is being made */
    ACT_SEND,      /* the frame goes out */
    ACT_FRAME,     /* u16 size, bytes as they are */
    ACT_TIME,      /* u16 of tenths of a second pass */
    ACT_POSITIONS, /* u8 type, then positions in streams that exist */
    ACT_WANT,      /* u8 scope, u8 writer, u8 from, u8 count */
    ACT_LINK,      /* the link goes down and comes up again */
    ACT_POST,      /* u8 scope, u16 kind, u16 size, content: the core's own people write it */
};

enum { SCOPES = 6, SPOKEN_MAX = 64 };

/* Where the hostile one stands in the streams it writes. */
static struct single *single;
static struct scope scopes[SCOPES];
static struct record_header headers[SINGLE_HOSPITALS + 1][SCOPES];
static struct record_header first_headers[SINGLE_HOSPITALS + 1][SCOPES];
static uint8_t frame_memory[SINGLE_HOSPITALS + 1][FRAME_SIZE_MAX];
static struct buffer frames[SINGLE_HOSPITALS + 1];
static uint16_t frame_counts[SINGLE_HOSPITALS + 1];

static void prepare(void)
{
    struct case_record_opening opening = {{0x41}};
    single = single_new();
    single_introduce(single);
    scopes[0] = scope_federation();
    scopes[1] = scope_board(&single->config.federation, bytes_of_text("hematology"));
    scopes[2] = single_ask(single);
    struct case_id other =
        case_record_case_id(&single->config.federation, &single->hospitals[2].node, &opening);
    scopes[3] = scope_case(&other); /* hospital 2 may open it */
    scopes[4] = scope_mail(&single->config.self);
    scopes[5] = scope_mail(&single->hospitals[2].node);
    for (uint32_t who = 2; who <= SINGLE_HOSPITALS; who++) {
        for (size_t i = 0; i < SCOPES; i++)
            first_headers[who][i] = single_header(single, who, &scopes[i]);
        const struct single_record *certificate =
            single_kept(single, &first_headers[who][0].stream, 1);
        struct record_claim claim;
        single_must(certificate != NULL);
        single_must(record_parse((struct bytes){certificate->bytes, certificate->size}, &claim) ==
                    OK);
        first_headers[who][0].sequence = 2;
        first_headers[who][0].previous = claim.id;
    }
    single_save(single);
}

static void begin_frame(uint32_t who)
{
    frames[who] = buffer_over(frame_memory[who], FRAME_SIZE_MAX);
    frame_records_begin(&frames[who]);
    frame_counts[who] = 0;
}

/* How the header is bent. */
enum bend {
    BEND_NOT,
    BEND_SKIP,       /* a position is left out */
    BEND_AGAIN,      /* the last position once more: a fork */
    BEND_PREVIOUS,   /* names another record before it */
    BEND_GENERATION, /* the next generation */
    BEND_HEAD,       /* names a roster head that nobody knows */
    BEND_FUTURE,
    BEND_EXPIRED,
};

static void bend(struct record_header *header, enum bend how)
{
    switch (how) {
    case BEND_NOT:
        break;
    case BEND_SKIP:
        header->sequence++;
        break;
    case BEND_AGAIN:
        header->sequence -= header->sequence > 1 ? 1 : 0;
        break;
    case BEND_PREVIOUS:
        header->previous.bytes[0] ^= 1;
        break;
    case BEND_GENERATION:
        header->stream.generation++;
        header->sequence = 1;
        break;
    case BEND_HEAD:
        header->head.bytes[0] ^= 1;
        break;
    case BEND_FUTURE:
        header->time.ms += 2 * CLOCK_SKEW_MS_MAX;
        break;
    case BEND_EXPIRED:
        header->expires.ms = FEDERATION_START_MS;
        break;
    }
}

/* u8 scope, u8 (bits 0-2 how it is bent, 3-4 audience, 5 raw plaintext, 6 no clinician, 7 no key),
 * u16 kind, u16 size, content. */
static void act_record(uint32_t who, struct reader *reader)
{
    static uint8_t body[RECORD_SIZE_MAX];
    size_t at = reader_u8(reader) % SCOPES;
    uint8_t how = reader_u8(reader);
    struct statement statement = {.kind = reader_u16(reader)};
    statement.content = reader_take(reader, reader_u16(reader));
    struct record_header *header = &headers[who][at];
    struct buffer out = buffer_over(body, sizeof body);
    if (reader->failed || frame_counts[who] >= SPOKEN_MAX)
        return;
    if ((how & 32) != 0)
        buffer_put(&out, statement.content.data, statement.content.size);
    else if ((how & 64) != 0)
        out.failed = statement_write(&statement, &out) != OK;
    else
        single_statement(single, who, &scopes[at], &statement, &out);
    header->time = single_event(single, EVENT_TICK).wall;
    header->expires.ms = 0;
    header->audience = (enum audience)((how >> 3 & 3) % 3);
    bend(header, (enum bend)(how & 7));
    struct buffer before = frames[who];
    if (out.failed || !single_record(single, who, header, buffer_bytes(&out), &frames[who])) {
        frames[who] = before;
        return;
    }
    if ((how & 128) != 0 && (frames[who].data[before.size] & 1) != 0) { /* the key is left out */
        frames[who].data[before.size] = 0;
        memmove(frames[who].data + before.size + 1, frames[who].data + before.size + 1 + KEY_SIZE,
                frames[who].size - before.size - 1 - KEY_SIZE);
        frames[who].size -= KEY_SIZE;
    }
    frame_counts[who]++;
}

static void act_send(uint32_t who)
{
    if (frame_counts[who] == 0)
        return;
    frame_records_end(&frames[who], frame_counts[who]);
    single_hear(single, who, buffer_bytes(&frames[who]));
    begin_frame(who);
}

static struct stream_id stream_of(struct reader *reader)
{
    struct scope scope = scopes[reader_u8(reader) % SCOPES];
    uint8_t writer = reader_u8(reader);
    return (struct stream_id){scope, federation_node(writer % 5), 1U + writer / 64};
}

static void act_positions(uint32_t who, struct reader *reader)
{
    uint8_t memory[1024];
    struct buffer out = buffer_over(memory, sizeof memory);
    uint8_t how = reader_u8(reader);
    uint16_t count = (uint16_t)(1 + how % 8);
    frame_positions_begin(&out, (how & 128) != 0 ? FRAME_ACK : FRAME_STREAMS, count);
    for (uint16_t i = 0; i < count; i++) {
        struct frame_position position = {.stream = stream_of(reader)};
        position.tail = reader_u8(reader);
        position.had = reader_u8(reader) % (position.tail + 1);
        position.tail_hint = reader_u8(reader);
        frame_position_write(&out, &position);
    }
    if (!reader->failed)
        single_hear(single, who, buffer_bytes(&out));
}

static void act_want(uint32_t who, struct reader *reader)
{
    uint8_t memory[256];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_want want = {.stream = stream_of(reader)};
    want.from = 1U + reader_u8(reader);
    want.count = (uint16_t)(1U + reader_u8(reader));
    frame_want_write(&out, &want);
    single_hear(single, who, buffer_bytes(&out));
}

static void act_link(uint32_t who)
{
    struct event event = single_event(single, EVENT_LINK_DOWN);
    event.link.value = who;
    single_give(single, &event);
    single_meet(single, who);
}

static void act_post(struct reader *reader)
{
    static uint8_t body[RECORD_SIZE_MAX];
    struct buffer out = buffer_over(body, sizeof body);
    const struct scope *scope = &scopes[reader_u8(reader) % SCOPES];
    struct statement statement = {.kind = reader_u16(reader)};
    statement.content = reader_take(reader, reader_u16(reader));
    single_statement(single, SINGLE_SELF, scope, &statement, &out);
    bool is_clear = scope->kind == SCOPE_FEDERATION || statement.kind == KIND_ERASE ||
                    statement.kind == KIND_ERASED;
    if (!out.failed)
        single_post(single, scope, is_clear ? AUDIENCE_CLEAR : AUDIENCE_SCOPE, buffer_bytes(&out));
}

static void act(enum act what, uint32_t who, struct reader *reader)
{
    switch (what) {
    case ACT_RECORD:
        act_record(who, reader);
        break;
    case ACT_SEND:
        act_send(who);
        break;
    case ACT_FRAME:
        single_hear(single, who, reader_take(reader, reader_u16(reader)));
        break;
    case ACT_TIME:
        single_tick(single, (uint64_t)reader_u16(reader) * 100);
        break;
    case ACT_POSITIONS:
        act_positions(who, reader);
        break;
    case ACT_WANT:
        act_want(who, reader);
        break;
    case ACT_LINK:
        act_link(who);
        break;
    case ACT_POST:
        act_post(reader);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_of((struct bytes){data, size});
    struct engine_status status;
    if (single == NULL)
        prepare();
    single_restore(single);
    memcpy(headers, first_headers, sizeof headers);
    for (uint32_t who = 2; who <= SINGLE_HOSPITALS; who++)
        begin_frame(who);
    for (unsigned acts = 0; acts < SPOKEN_MAX && reader_left(&reader) > 0; acts++) {
        uint8_t what = reader_u8(&reader);
        act((enum act)(what & 7), (what & 8) != 0 ? 3 : 2, &reader);
    }
    for (uint32_t who = 2; who <= SINGLE_HOSPITALS; who++)
        act_send(who);
    single_tick(single, 1000);
    engine_status(single->engine, &status);
    single_must(status.stream_count <= single->config.stream_count_max &&
                status.missing_count <= single->config.missing_count_max &&
                status.case_count <= single->config.case_count_max);
    return 0;
}
