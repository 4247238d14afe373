#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/relay_world.h"

struct world world;

struct bytes world_list(int count)
{
    for (int i = 1; i <= count; i++) {
        uint8_t *entry = world.list + (size_t)(i - 1) * TRANSPORT_ENTRY_SIZE;
        memcpy(entry, world.members[i].key.bytes, KEY_SIZE);
        entry[KEY_SIZE] = i == WORLD_PUBLISHER ? TRANSPORT_PUBLISHER : TRANSPORT_MEMBER;
    }
    return (struct bytes){world.list, (size_t)count * TRANSPORT_ENTRY_SIZE};
}

struct relay_head world_head(uint64_t epoch)
{
    struct relay_head head = {.epoch = epoch};
    memset(head.id.bytes, (int)epoch, HASH_SIZE);
    return head;
}

void world_begin(const struct relay_limits *limits, uint32_t link_count)
{
    memset(&world, 0, sizeof world);
    world.config.limits = *limits;
    world.config.link_count = link_count;
    memset(world.config.federation.bytes, 0xfe, HASH_SIZE);
    memset(world.config.secret, 5, sizeof world.config.secret);
    for (int i = 1; i <= WORLD_MEMBERS; i++) {
        world.members[i].key.bytes[0] = (uint8_t)i;
        world.members[i].key.bytes[31] = 0x77;
        world.members[i].room = WORLD_ROOM;
    }
    size_t size = relay_engine_size(&world.config);
    assert_int_equal(posix_memalign(&world.memory, ARENA_ALIGNMENT, size), 0);
    memset(world.memory, 0, size);
    world.relay = relay_engine_init(&world.config, world.memory);
    world.now.ms = 5000;
    struct relay_head head = world_head(1);
    struct bytes list = world_list(WORLD_MEMBERS - 1); /* the last one is a stranger */
    relay_engine_set_list(world.relay, &head, list, world.now);
}

void world_empty(int member)
{
    struct world_member *emptied = &world.members[member];
    for (int i = 0; i < emptied->inbox_count; i++)
        free(emptied->inbox[i]);
    emptied->inbox_count = 0;
}

void world_end(void)
{
    for (int i = 1; i <= WORLD_MEMBERS; i++)
        world_empty(i);
    free(world.memory);
}

static int world_of_link(uint64_t link)
{
    for (int i = 1; i <= WORLD_MEMBERS; i++) {
        if (world.members[i].link == link)
            return i;
    }
    return 0;
}

static void world_receive(struct world_member *member, struct bytes bytes)
{
    assert_true(member->inbox_count < WORLD_INBOX);
    member->inbox[member->inbox_count] = malloc(bytes.size);
    memcpy(member->inbox[member->inbox_count], bytes.data, bytes.size);
    member->inbox_turn[member->inbox_count] = ++world.frames_sent;
    member->inbox_size[member->inbox_count++] = bytes.size;
}

void world_pump(void)
{
    struct relay_engine_effect effect;
    while (relay_engine_next(world.relay, world.now, &effect)) {
        struct world_member *member = &world.members[world_of_link(effect.link)];
        if (effect.kind == RELAY_ENGINE_VERIFY) {
            world.verify = effect.bytes;
        } else if (effect.kind == RELAY_ENGINE_CLOSE) {
            member->closed = true;
            member->link = 0;
        } else if (member->link == 0 || member->link != effect.link) {
            continue; /* one that was replaced */
        } else if (member->room <= 0) {
            relay_engine_blocked(world.relay, world.now);
        } else {
            member->room--;
            world_receive(member, effect.bytes);
        }
    }
}

void world_event(struct relay_engine_event event)
{
    event.now = world.now;
    relay_engine_on_event(world.relay, &event);
}

void world_say_bytes(int member, struct bytes bytes)
{
    world_event((struct relay_engine_event){
        .kind = RELAY_ENGINE_FRAME, .link = world.members[member].link, .bytes = bytes});
}

void world_say(int member, struct relay_frame frame)
{
    static uint8_t memory[RELAY_FORWARD_SIZE_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    relay_frame_write(&frame, &buffer);
    assert_false(buffer.failed);
    world_say_bytes(member, buffer_bytes(&buffer));
}

void world_say_list(int member, enum relay_type type, int first, int count)
{
    static struct relay_entry entries[RELAY_KEY_COUNT_MAX];
    static uint8_t memory[RELAY_CONTROL_SIZE_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    for (int i = 0; i < count; i++)
        entries[i].key = world.members[first + i].key;
    relay_frame_write_list(type, entries, (uint16_t)count, &buffer);
    world_say_bytes(member, buffer_bytes(&buffer));
}

void world_link(int member)
{
    world.members[member].link = ++world.links_made;
    world.members[member].closed = false;
    world_event((struct relay_engine_event){.kind = RELAY_ENGINE_LINK_UP,
                                            .link = world.members[member].link,
                                            .key = world.members[member].key});
}

void world_hello(int member)
{
    world_say(member, (struct relay_frame){.type = RELAY_HELLO,
                                           .version_min = 1,
                                           .version_max = 3,
                                           .federation = world.config.federation});
}

void world_join(int first, int count)
{
    for (int i = first; i < first + count; i++) {
        world_link(i);
        world_hello(i);
        world_pump();
        world_empty(i);
    }
}

void world_leave(int member)
{
    world_event((struct relay_engine_event){.kind = RELAY_ENGINE_LINK_DOWN,
                                            .link = world.members[member].link});
    world.members[member].link = 0;
    world_pump();
}

void world_drain(int member, int room)
{
    world.members[member].room = room;
    world_event((struct relay_engine_event){.kind = RELAY_ENGINE_DRAINED,
                                            .link = world.members[member].link});
    world_pump();
}

void world_time(uint64_t ms)
{
    world.now.ms += ms;
    world_event((struct relay_engine_event){.kind = RELAY_ENGINE_TIME});
    world_pump();
}

void world_forward(int from, int to, uint8_t tag, size_t size)
{
    static uint8_t box[TUNNEL_SIZE_MAX];
    memset(box, 0xb0, size);
    box[0] = tag;
    world_say(from, (struct relay_frame){
                        .type = RELAY_FORWARD, .key = world.members[to].key, .body = {box, size}});
}

struct relay_frame world_got(int member, int index)
{
    struct relay_frame frame;
    struct world_member *reading = &world.members[member];
    assert_true(index < reading->inbox_count);
    struct bytes bytes = {reading->inbox[index], reading->inbox_size[index]};
    assert_int_equal(relay_frame_parse(bytes, &frame), OK);
    return frame;
}

struct relay_frame world_got_one(int member, enum relay_type type)
{
    assert_int_equal(world.members[member].inbox_count, 1);
    struct relay_frame frame = world_got(member, 0);
    assert_int_equal(frame.type, type);
    return frame;
}

int world_got_count(int member, enum relay_type type)
{
    int count = 0;
    for (int i = 0; i < world.members[member].inbox_count; i++)
        count += world_got(member, i).type == type;
    return count;
}
