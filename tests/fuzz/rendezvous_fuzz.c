/* A relay among hostile links: they come, go, say anything, and take what they like. Nothing is
 * ever held beyond what was promised, and after all have gone nothing is left. */
#include <stdlib.h>
#include <string.h>

#include "protocol/relay/relay_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS = 8, LINKS = 6, LISTED = 6 };

static const struct relay_engine_config config = {
    .limits = {.pair_units = RELAY_UNITS_MAX,
               .member_units = RELAY_UNITS_MAX + 10,
               .session_count = 3,
               .watch_count = 3,
               .control_count = 30,
               .publish_size = 64},
    .link_count = LINKS,
};

static void *memory;
static size_t memory_size;
static struct relay_engine *relay;
static struct mono now;
static uint64_t links[KEYS], links_made;
static bool verifying;

static struct transport_key key_of(unsigned number)
{
    struct transport_key key = {{(uint8_t)(number % KEYS), 0x55}};
    return key;
}

static struct bytes list_of(unsigned count)
{
    static uint8_t list[KEYS * TRANSPORT_ENTRY_SIZE];
    for (unsigned i = 0; i < count; i++) {
        struct transport_key key = key_of(i);
        memcpy(list + i * TRANSPORT_ENTRY_SIZE, key.bytes, KEY_SIZE);
        list[i * TRANSPORT_ENTRY_SIZE + KEY_SIZE] = i == 0 ? TRANSPORT_PUBLISHER : TRANSPORT_MEMBER;
    }
    return (struct bytes){list, count * TRANSPORT_ENTRY_SIZE};
}

static void event(struct relay_engine_event what)
{
    what.now = now;
    relay_engine_on_event(relay, &what);
}

/* Every third send finds no room when `stubborn`. */
static void pump(bool stubborn)
{
    struct relay_engine_effect effect;
    for (unsigned count = 0; relay_engine_next(relay, now, &effect); count++) {
        if (count > 100000)
            abort(); /* it talks to itself */
        if (effect.kind == RELAY_ENGINE_VERIFY)
            verifying = true;
        for (unsigned i = 0; effect.kind == RELAY_ENGINE_CLOSE && i < KEYS; i++)
            links[i] = links[i] == effect.link ? 0 : links[i];
        if (effect.kind != RELAY_ENGINE_SEND)
            continue;
        struct relay_frame frame;
        if (relay_frame_parse(effect.bytes, &frame) != OK || frame.type < RELAY_WELCOME)
            abort();
        if (stubborn && count % 3 == 2)
            relay_engine_blocked(relay, now);
    }
    struct relay_engine_counts counts = relay_engine_counts(relay);
    if (counts.queued_units > LINKS * config.limits.member_units || counts.links > LINKS)
        abort();
}

/* A frame in shape, from few bytes, so that the search gets beyond the parser. */
static struct bytes shaped(struct reader *reader)
{
    static uint8_t out[RELAY_FORWARD_SIZE_MAX];
    struct buffer buffer = buffer_over(out, sizeof out);
    struct relay_frame frame = {.type = (enum relay_type)(reader_u8(reader) % 8)};
    uint8_t argument = reader_u8(reader);
    struct relay_entry entries[4];
    for (unsigned i = 0; i < 4; i++)
        entries[i].key = key_of(argument + i);
    frame.key = key_of(argument);
    frame.version_min = argument == 255 ? 2 : 1;
    frame.version_max = 2;
    frame.total = 64;
    frame.offset = argument & 32u;
    frame.body = (struct bytes){memory, frame.type == RELAY_PUBLISH ? 32 : 1 + argument * 255u};
    if (frame.type == RELAY_WATCH || frame.type == RELAY_UNWATCH)
        relay_frame_write_list(frame.type, entries, (uint16_t)(1 + argument % 4), &buffer);
    else if (frame.type != 0)
        relay_frame_write(&frame, &buffer);
    return buffer_bytes(&buffer);
}

static void verified(unsigned argument)
{
    if (!verifying)
        return;
    verifying = false;
    event((struct relay_engine_event){.kind = RELAY_ENGINE_VERIFIED,
                                      .result = argument & 1 ? ERR_BAD_SIGNATURE : OK,
                                      .head = {.epoch = argument},
                                      .bytes = list_of(1 + argument % (KEYS - 1))});
}

static void come(unsigned who)
{
    if (links[who] != 0)
        return;
    links[who] = ++links_made;
    event((struct relay_engine_event){
        .kind = RELAY_ENGINE_LINK_UP, .link = links[who], .key = key_of(who)});
}

static void go(unsigned who)
{
    event((struct relay_engine_event){.kind = RELAY_ENGINE_LINK_DOWN, .link = links[who]});
    links[who] = 0;
}

static void play(struct reader *reader)
{
    uint8_t what = reader_u8(reader);
    unsigned who = what % KEYS, argument = what >> 6;
    struct relay_engine_event said = {.kind = RELAY_ENGINE_FRAME, .link = links[who]};
    switch (what >> 3 & 7) {
    case 0:
        come(who);
        break;
    case 1:
        if (argument == 0)
            go(who);
        break;
    case 2:
        said.bytes = reader_take(reader, reader_u8(reader));
        event(said);
        break;
    case 3:
        event((struct relay_engine_event){.kind = RELAY_ENGINE_DRAINED, .link = links[who]});
        break;
    case 4:
        now.ms += argument * 9000u + 60;
        event((struct relay_engine_event){.kind = RELAY_ENGINE_TIME});
        break;
    case 5:
        verified(what);
        break;
    default:
        said.bytes = shaped(reader);
        event(said);
        break;
    }
    pump(argument == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_of((struct bytes){data, size});
    struct relay_head head = {.epoch = 1};
    if (memory == NULL) {
        memory_size = relay_engine_size(&config);
        if (posix_memalign(&memory, ARENA_ALIGNMENT, memory_size) != 0)
            abort();
    }
    memset(memory, 0, memory_size);
    memset(links, 0, sizeof links);
    verifying = false;
    now.ms = 1;
    relay = relay_engine_init(&config, memory);
    relay_engine_set_list(relay, &head, list_of(LISTED), now);
    while (reader_left(&reader) > 0)
        play(&reader);
    for (unsigned i = 0; i < KEYS; i++)
        go(i);
    pump(false);
    struct relay_engine_counts counts = relay_engine_counts(relay);
    if (counts.links != 0 || counts.queued_units != 0 || counts.sessions != 0)
        abort();
    return 0;
}
