#include "bootstrap/present/society_changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/directory/member_text.h"
#include "bootstrap/directory/officer_names.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/look_alikes.h"
#include "bootstrap/present/society_text.h"
#include "bootstrap/terminal/terminal.h"
#include "protocol/base/fingerprint.h"

#define CHANGES_HOUR_MS ((uint64_t)60 * 60 * 1000)

/* ---- settings ---- */

static void changes_number(const char *what, uint64_t before, uint64_t now, const char *unit)
{
    if (before != now)
        printf("  %s: %" PRIu64 " -> %" PRIu64 "%s\n", what, before, now, unit);
}

static void changes_text(const char *what, struct bytes before, struct bytes now)
{
    if (!bytes_equal(before, now))
        printf("  %s: %.*s -> %.*s\n", what, TERMINAL_TEXT(before), TERMINAL_TEXT(now));
}

static const struct settings_board *changes_board(const struct settings *settings, struct bytes tag)
{
    for (uint32_t i = 0; i < settings->board_count; i++) {
        if (bytes_equal(settings->boards[i].tag, tag))
            return &settings->boards[i];
    }
    return NULL;
}

static void changes_boards(const struct society *society, const struct settings *before,
                           const struct settings *now)
{
    for (uint32_t i = 0; i < now->board_count; i++) {
        const struct settings_board *board = &now->boards[i];
        const struct settings_board *old = changes_board(before, board->tag);
        if (old == NULL)
            printf("  NEW board %.*s (%.*s)\n", TERMINAL_TEXT(board->tag),
                   TERMINAL_TEXT(board->name));
        else if (!bytes_equal(old->name, board->name))
            printf("  board %.*s: %.*s -> %.*s\n", TERMINAL_TEXT(board->tag),
                   TERMINAL_TEXT(old->name), TERMINAL_TEXT(board->name));
    }
    for (uint32_t i = 0; i < before->board_count; i++) {
        if (changes_board(now, before->boards[i].tag) == NULL)
            printf("  board %.*s CLOSES; members that serve it: %u\n",
                   TERMINAL_TEXT(before->boards[i].tag),
                   society_text_serving(society, before->boards[i].tag, NULL));
    }
}

static const struct settings_relay *changes_relay(const struct settings *settings,
                                                  const struct transport_key *key)
{
    for (uint32_t i = 0; i < settings->relay_count; i++) {
        if (ID_EQUAL(settings->relays[i].key, *key))
            return &settings->relays[i];
    }
    return NULL;
}

static void changes_relays(const struct settings *before, const struct settings *now)
{
    char hex[2 * KEY_SIZE + 1];
    for (uint32_t i = 0; i < now->relay_count; i++) {
        const struct settings_relay *relay = &now->relays[i];
        const struct settings_relay *old = changes_relay(before, &relay->key);
        ids_to_hex(ID_BYTES(relay->key), hex);
        if (old == NULL) {
            printf("  NEW relay %.*s at %.*s\n    key %s\n", TERMINAL_TEXT(relay->name),
                   TERMINAL_TEXT(relay->endpoint), hex);
            continue;
        }
        changes_text("relay's address", old->endpoint, relay->endpoint);
        changes_text("relay's name", old->name, relay->name);
    }
    for (uint32_t i = 0; i < before->relay_count; i++) {
        const struct settings_relay *relay = &before->relays[i];
        if (changes_relay(now, &relay->key) == NULL)
            printf("  relay %.*s at %.*s is removed\n", TERMINAL_TEXT(relay->name),
                   TERMINAL_TEXT(relay->endpoint));
    }
}

static bool changes_has_publisher(const struct settings *settings, const struct transport_key *key)
{
    uint32_t at = 0;
    while (at < settings->publisher_count && !ID_EQUAL(settings->publishers[at], *key))
        at++;
    return at < settings->publisher_count;
}

static void changes_publishers(const struct settings *before, const struct settings *now)
{
    char hex[2 * KEY_SIZE + 1];
    for (uint32_t i = 0; i < now->publisher_count; i++) {
        ids_to_hex(ID_BYTES(now->publishers[i]), hex);
        if (!changes_has_publisher(before, &now->publishers[i]))
            printf("  NEW publisher\n    key %s\n", hex);
    }
    for (uint32_t i = 0; i < before->publisher_count; i++) {
        ids_to_hex(ID_BYTES(before->publishers[i]), hex);
        if (!changes_has_publisher(now, &before->publishers[i]))
            printf("  publisher removed\n    key %s\n", hex);
    }
}

static void changes_settings(const struct society *society, const struct settings *before,
                             const struct settings *now)
{
    puts("settings that change, old -> new:");
    changes_text("name", before->name, now->name);
    changes_number("cooling-off before new members read", before->cooling_off_ms / CHANGES_HOUR_MS,
                   now->cooling_off_ms / CHANGES_HOUR_MS, " h");
    changes_number("longest time that a case stays open",
                   before->announcement_ms_max / CHANGES_HOUR_MS / 24,
                   now->announcement_ms_max / CHANGES_HOUR_MS / 24, " days");
    changes_number("most participants of a case", before->participant_count_max,
                   now->participant_count_max, "");
    changes_number("generations a year", before->generation_count_max, now->generation_count_max,
                   "");
    if (before->custody_allowed != now->custody_allowed)
        printf("  custody: %s\n",
               now->custody_allowed ? "not allowed -> allowed" : "allowed -> not allowed");
    changes_boards(society, before, now);
    changes_relays(before, now);
    changes_publishers(before, now);
}

/* ---- officers ---- */

static bool changes_is_officer(const struct officers *officers, const struct sign_key *key)
{
    uint32_t at = 0;
    while (at < officers->count && !ID_EQUAL(officers->keys[at], *key))
        at++;
    return at < officers->count;
}

static void changes_officers_of(const struct society *society, const struct officers *some,
                                const struct officers *others, const char *what)
{
    char hex[2 * KEY_SIZE + 1], name[OFFICER_NAME_SIZE];
    for (uint32_t i = 0; i < some->count; i++) {
        if (changes_is_officer(others, &some->keys[i]))
            continue;
        officer_names_find(society, &some->keys[i], name);
        ids_to_hex(ID_BYTES(some->keys[i]), hex);
        printf("  %s %s\n    key %s\n", what, name, hex);
    }
}

static void changes_officers(const struct society *society)
{
    const struct officers before = roster_current_head(&society->roster)->officers;
    const struct officers *now = &society->pending.head.officers;
    if (before.count == now->count && before.threshold == now->threshold &&
        memcmp(before.keys, now->keys, now->count * sizeof now->keys[0]) == 0)
        return;
    puts("officers that change:");
    changes_officers_of(society, now, &before, "NEW");
    changes_officers_of(society, &before, now, "no longer");
    printf("  signatures that each head needs: %u of %u -> %u of %u\n", before.threshold,
           before.count, now->threshold, now->count);
}

/* ---- members ---- */

static void changes_member_boards(const struct member *before, const struct member *now)
{
    for (uint32_t i = 0; i < now->board_count; i++) {
        if (member_serves_since(before, now->boards[i].tag) == 0)
            printf("    now serves %.*s\n", TERMINAL_TEXT(now->boards[i].tag));
    }
    for (uint32_t i = 0; i < before->board_count; i++) {
        if (member_serves_since(now, before->boards[i].tag) == 0)
            printf("    no longer serves %.*s\n", TERMINAL_TEXT(before->boards[i].tag));
    }
}

static bool changes_has_endpoint(const struct member *member, struct bytes endpoint)
{
    uint32_t at = 0;
    while (at < member->endpoint_count && !bytes_equal(member->endpoints[at], endpoint))
        at++;
    return at < member->endpoint_count;
}

static void changes_member_endpoints(const struct member *before, const struct member *now)
{
    for (uint32_t i = 0; i < now->endpoint_count; i++) {
        if (!changes_has_endpoint(before, now->endpoints[i]))
            printf("    new address %.*s\n", TERMINAL_TEXT(now->endpoints[i]));
    }
    for (uint32_t i = 0; i < before->endpoint_count; i++) {
        if (!changes_has_endpoint(now, before->endpoints[i]))
            printf("    address %.*s removed\n", TERMINAL_TEXT(before->endpoints[i]));
    }
}

static void changes_member_keys(const struct member *member)
{
    char hex[2 * KEY_SIZE + 1];
    ids_to_hex(ID_BYTES(member->sign_key), hex);
    printf("    signs with  %s\n", hex);
    ids_to_hex(ID_BYTES(member->transport_key), hex);
    printf("    transport   %s\n", hex);
}

static void changes_new_member(const struct member *member)
{
    static const struct member nobody;
    puts("    NEW MEMBER, admitted");
    changes_member_keys(member);
    changes_member_endpoints(&nobody, member);
    fputs("    boards:", stdout);
    for (uint32_t i = 0; i < member->board_count; i++)
        printf(" %.*s", TERMINAL_TEXT(member->boards[i].tag));
    puts(member->board_count == 0 ? " none" : "");
}

static void changes_successor(const struct society *society, const struct member *member)
{
    char hex[2 * NODE_ID_SIZE + 1];
    struct member successor;
    ids_to_hex(ID_BYTES(member->successor), hex);
    if (!society_pending_member(society, &member->successor, &successor))
        successor.name = bytes_of_text("a member that is not in this roster");
    printf("    its cases may be closed by %.*s, node %s\n", TERMINAL_TEXT(successor.name), hex);
}

/* A new or renamed member that could be taken for another one. */
static void changes_look_alikes(const struct look_alikes *all, const struct member *now)
{
    if (look_alikes_count(all, now) == 0)
        return;
    puts("    CAUTION: its name looks like that of another member:");
    look_alikes_print(all, now, stdout);
    puts("    this member is:");
    member_text_describe(now, stdout);
}

static void changes_member(const struct society *society, const struct look_alikes *all,
                           const struct member *now)
{
    char hex[2 * NODE_ID_SIZE + 1];
    struct member before;
    const struct roster_entry *entry = society_pending_in_force(society, &now->node_id);
    ids_to_hex(ID_BYTES(now->node_id), hex);
    printf("  %.*s (%.2s), node %s\n", TERMINAL_TEXT(now->name), (const char *)now->country, hex);
    if (entry == NULL) {
        changes_new_member(now);
        changes_look_alikes(all, now);
        return;
    }
    roster_member(&society->roster, entry, &before);
    if (before.state != now->state)
        printf("    was %s, is now %s\n", member_text_state(before.state),
               member_text_state(now->state));
    if (before.keys_since_epoch != now->keys_since_epoch) {
        printf("    NEW KEYS, %s\n",
               now->keys_signed ? "signed by the old key" : "NOT signed by the old key");
        changes_member_keys(now);
    }
    if (!bytes_equal(before.name, now->name)) {
        printf("    was called %.*s\n", TERMINAL_TEXT(before.name));
        changes_look_alikes(all, now);
    }
    if (memcmp(before.country, now->country, sizeof before.country) != 0)
        printf("    was in %.2s\n", (const char *)before.country);
    changes_member_boards(&before, now);
    changes_member_endpoints(&before, now);
    if (!ID_IS_ZERO(now->successor))
        changes_successor(society, now);
}

static void changes_members(const struct society *society)
{
    struct look_alikes *all = look_alikes_new(society);
    struct member member;
    if (all == NULL) {
        terminal_error("%s", err_sentence(ERR_NO_MEMORY));
        return;
    }
    puts("members that change:");
    for (uint32_t i = 0; i < society->pending.member_count; i++) {
        if (society_pending_member(society, &society->pending.members[i].node_id, &member))
            changes_member(society, all, &member);
    }
    look_alikes_free(all);
}

/* ---- who signed ---- */

static void changes_signers_of(const struct society *society, bool have_signed)
{
    const struct society_pending *pending = &society->pending;
    struct officers officers = society_pending_officers(society);
    char name[OFFICER_NAME_SIZE];
    uint32_t shown = 0;
    for (uint32_t i = 0; i < officers.count; i++) {
        if (society_pending_signed_by(pending, i) != have_signed)
            continue;
        officer_names_find(society, &officers.keys[i], name);
        printf("%s%s",
               shown++ > 0   ? ", "
               : have_signed ? "  signed by    "
                             : "  not yet      ",
               name);
    }
    if (shown > 0)
        putchar('\n');
}

void society_changes_signers(const struct society *society)
{
    changes_signers_of(society, true);
    changes_signers_of(society, false);
}

/* ---- all ---- */

void society_changes_show(const struct society *society)
{
    const struct society_pending *pending = &society->pending;
    char print[FINGERPRINT_TEXT_SIZE], date[TERMINAL_DATE_SIZE];
    struct settings settings;
    struct head_id id = roster_head_id((struct bytes){pending->body, pending->body_size});
    struct hash hash;
    memcpy(hash.bytes, id.bytes, HASH_SIZE);
    fingerprint_write(&hash, print);
    terminal_date(pending->head.valid_until, date);
    printf("pending      epoch %" PRIu64 ", valid until %s, %u of %u signatures\n",
           pending->head.epoch, date, pending->signature_count, society_pending_needed(society));
    printf("  fingerprint  %s\n", print);
    society_changes_signers(society);
    society_pending_settings(society, &settings);
    if (!society->roster.filled) {
        puts("a NEW federation; its settings:");
        society_text_settings(&settings);
        society_text_officers(society, &pending->head.officers);
    } else {
        if (pending->settings != NULL)
            changes_settings(society, roster_settings(&society->roster), &settings);
        changes_officers(society);
    }
    if (pending->member_count > 0)
        changes_members(society);
    if (pending->cuts_size > 0)
        printf("  %zu streams of removed members end\n", pending->cuts_size / CUT_SIZE);
    if (society->roster.filled && pending->settings == NULL && pending->member_count == 0)
        puts("no setting or member changes");
}
