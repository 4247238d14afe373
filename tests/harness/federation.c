#include "tests/harness/federation.h"

void federation_key(uint32_t number, uint8_t what, uint8_t ret_public[static 32],
                    uint8_t ret_secret[static 64])
{
    uint8_t seed[32] = {what, (uint8_t)(number >> 8), (uint8_t)number};
    int failed = crypto_sign_seed_keypair(ret_public, ret_secret, seed);
    assert(failed == 0);
    (void)failed;
}

void federation_officers(struct federation *f, uint32_t first, uint32_t count, uint32_t threshold)
{
    f->officers.count = count;
    f->officers.threshold = threshold;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t public_key[32], secret[64];
        federation_key(first + i, 1, public_key, secret);
        uint32_t at = i;
        while (at > 0 && memcmp(f->officers.keys[at - 1].bytes, public_key, 32) > 0) {
            f->officers.keys[at] = f->officers.keys[at - 1];
            memcpy(f->secrets[at], f->secrets[at - 1], 64);
            at--;
        }
        memcpy(f->officers.keys[at].bytes, public_key, 32);
        memcpy(f->secrets[at], secret, 64);
    }
}

struct roster federation_roster(struct roster_plan plan, struct node_id self,
                                const struct federation_id *id, void **ret_memory)
{
    struct roster roster;
    *ret_memory = malloc(roster_size(&plan));
    assert(*ret_memory != NULL);
    memset(*ret_memory, 0xa5, roster_size(&plan));
    roster_init(&roster, &plan, *ret_memory, &self, id);
    return roster;
}

void federation_begin(struct federation *f, struct roster_plan plan)
{
    memset(f, 0, sizeof *f);
    f->roster = federation_roster(plan, (struct node_id){{0}}, NULL, &f->memory);
    f->items = malloc(FEDERATION_ITEMS_SIZE);
    assert(f->items != NULL);
    f->draft = buffer_over(f->items, FEDERATION_ITEMS_SIZE);
    f->now.ms = FEDERATION_START_MS;
    federation_officers(f, 0, 3, 2);
}

void federation_end(struct federation *f)
{
    free(f->memory);
    free(f->items);
}

struct node_id federation_node(uint32_t number)
{
    struct node_id id = {{(uint8_t)(number >> 8), (uint8_t)number, 0x11}};
    return id;
}

struct member federation_member(uint32_t number, uint64_t epoch)
{
    uint8_t secret[64];
    struct member member = {
        .node_id = federation_node(number),
        .name = bytes_of_text("Hospital of the Good Test"),
        .country = {'D', 'E'},
        .board_count = 1,
        .boards = {{bytes_of_text("hematology"), epoch}},
        .state = MEMBER_ADMITTED,
        .admitted_epoch = epoch,
        .state_since_epoch = epoch,
        .keys_since_epoch = epoch,
    };
    federation_key(number, 2, member.sign_key.bytes, secret);
    federation_key(number, 3, member.transport_key.bytes, secret);
    return member;
}

void federation_settings(struct settings *settings)
{
    settings_init(settings);
    settings->name = bytes_of_text("Society for Tests");
    settings->board_count = 3;
    settings->boards[0] =
        (struct settings_board){bytes_of_text("hematology"), bytes_of_text("Hematology")};
    settings->boards[1] =
        (struct settings_board){bytes_of_text("hematology/bmt"), bytes_of_text("BMT")};
    settings->boards[2] = (struct settings_board){bytes_of_text("oncology"), bytes_of_text("On")};
    settings->cooling_off_ms = 72 * FEDERATION_HOUR_MS;
    settings->relay_count = 1;
    settings->relays[0] = (struct settings_relay){
        .key = {{0xee}},
        .endpoint = bytes_of_text("tcp://relay.example.org:4500"),
        .name = bytes_of_text("Relay North"),
    };
    settings->publisher_count = 1;
    settings->publishers[0] = (struct transport_key){{0x01}};
}

void federation_put_settings(struct federation *f, const struct settings *settings)
{
    uint8_t memory[SETTINGS_SIZE_MAX];
    struct buffer packed = buffer_over(memory, sizeof memory);
    settings_write(&packed, settings);
    delta_item_write(&f->draft, DELTA_SETTINGS, buffer_bytes(&packed));
}

void federation_put_member(struct federation *f, const struct member *member)
{
    uint8_t memory[MEMBER_SIZE_MAX];
    struct buffer packed = buffer_over(memory, sizeof memory);
    member_write(&packed, member);
    assert(!packed.failed);
    delta_item_write(&f->draft, DELTA_MEMBER, buffer_bytes(&packed));
}

void federation_put_cut(struct federation *f, const struct cut *cut)
{
    uint8_t memory[CUT_SIZE];
    struct buffer packed = buffer_over(memory, sizeof memory);
    cuts_write(&packed, cut);
    delta_item_write(&f->draft, DELTA_CUTS, buffer_bytes(&packed));
}

void federation_body(struct federation *f)
{
    struct buffer body = buffer_over(f->body, sizeof f->body);
    roster_head_write(&body, &f->head);
    assert(!body.failed);
    f->body_size = body.size;
    f->delta.head = roster_head_id(buffer_bytes(&body));
}

void federation_sign(struct federation *f, uint32_t mask)
{
    struct roster_head_signed signed_head = {.body = {f->body, f->body_size}};
    for (uint32_t i = 0; i < f->officers.count; i++) {
        if ((mask >> i & 1) == 0)
            continue;
        struct roster_head_signature *one = &signed_head.signatures[signed_head.signature_count++];
        one->officer = i;
        roster_head_sign(signed_head.body, f->secrets[i], &one->signature);
    }
    struct buffer all = buffer_over(f->signed_memory, sizeof f->signed_memory);
    roster_head_signed_write(&all, &signed_head);
    assert(!all.failed);
    f->signed_head = buffer_bytes(&all);
}

err federation_draft(struct federation *f)
{
    err failure = roster_draft(&f->roster, buffer_bytes(&f->draft), &f->head);
    if (failure != OK)
        return failure;
    f->now.ms += FEDERATION_HOUR_MS;
    f->head.officers = f->officers;
    f->head.issued = f->now;
    f->head.valid_until.ms = f->now.ms + 400 * 24 * FEDERATION_HOUR_MS;
    f->delta.base = f->head.previous;
    f->delta.items = buffer_bytes(&f->draft);
    federation_body(f);
    federation_sign(f, f->head.epoch == 1 ? FEDERATION_ALL : 3);
    return OK;
}

err federation_take(struct federation *f)
{
    err failure = roster_apply(&f->roster, f->signed_head, &f->delta, f->now);
    f->draft.size = 0;
    return failure;
}

void federation_found(struct federation *f, struct roster_plan plan, uint32_t count)
{
    struct settings settings;
    federation_begin(f, plan);
    federation_settings(&settings);
    federation_put_settings(f, &settings);
    for (uint32_t i = 1; i <= count; i++) {
        struct member member = federation_member(i, 1);
        federation_put_member(f, &member);
    }
    err failure = federation_draft(f);
    assert(failure == OK);
    failure = federation_take(f);
    assert(failure == OK);
    (void)failure;
}
