#include "bootstrap/present/society_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/directory/member_text.h"
#include "bootstrap/directory/officer_names.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/terminal/terminal.h"
#include "protocol/base/fingerprint.h"

enum { TEXT_HOUR_MS = 60 * 60 * 1000, TEXT_DAY_MS = 24 * TEXT_HOUR_MS, TEXT_WARNING_DAYS = 60 };

void society_text_fingerprint(const uint8_t id[static HASH_SIZE], char *ret_text)
{
    struct hash hash;
    memcpy(hash.bytes, id, HASH_SIZE);
    fingerprint_write(&hash, ret_text);
}

static bool text_expires_soon(const struct roster_head *head)
{
    uint64_t now = terminal_now().ms, until = head->valid_until.ms;
    return until > now && until - now <= (uint64_t)TEXT_WARNING_DAYS * TEXT_DAY_MS;
}

void society_text_identity(const struct society *society)
{
    char hex[2 * HASH_SIZE + 1], print[FINGERPRINT_TEXT_SIZE], date[TERMINAL_DATE_SIZE];
    const struct roster_head *head = roster_current_head(&society->roster);
    if (head == NULL)
        return;
    struct federation_id federation = roster_federation(&society->roster);
    struct head_id id = roster_current_id(&society->roster);
    ids_to_hex(ID_BYTES(federation), hex);
    society_text_fingerprint(federation.bytes, print);
    printf("federation   %.*s\n", TERMINAL_TEXT(roster_settings(&society->roster)->name));
    printf("  id           %s\n  fingerprint  %s\n", hex, print);
    ids_to_hex(ID_BYTES(id), hex);
    society_text_fingerprint(id.bytes, print);
    terminal_date(head->valid_until, date);
    printf("head         epoch %" PRIu64 ", valid until %s\n", head->epoch, date);
    printf("  id           %s\n  fingerprint  %s\n", hex, print);
    if (text_expires_soon(head))
        printf("  EXPIRES in %" PRIu64
               " days: `renew`, `sign` and `publish` before then, or members "
               "announce no cases and grant no access\n",
               (head->valid_until.ms - terminal_now().ms) / TEXT_DAY_MS);
    if (roster_expired(&society->roster, terminal_now()))
        puts("  EXPIRED: members announce no cases and grant no access until a new head arrives; "
             "`renew`, `sign` and `publish` it");
}

void society_text_settings(const struct settings *settings)
{
    char hex[2 * KEY_SIZE + 1];
    printf("  name %.*s\n  new members may read after %" PRIu64
           " h (cooling-off); cases stay open up to %" PRIu64 " days\n  up to %" PRIu64
           " participants; %" PRIu64 " generations a year; custody %s\n",
           TERMINAL_TEXT(settings->name), settings->cooling_off_ms / TEXT_HOUR_MS,
           settings->announcement_ms_max / TEXT_HOUR_MS / 24, settings->participant_count_max,
           settings->generation_count_max, settings->custody_allowed ? "allowed" : "not allowed");
    for (uint32_t i = 0; i < settings->board_count; i++)
        printf("  board %.*s (%.*s)\n", TERMINAL_TEXT(settings->boards[i].tag),
               TERMINAL_TEXT(settings->boards[i].name));
    for (uint32_t i = 0; i < settings->relay_count; i++) {
        ids_to_hex(ID_BYTES(settings->relays[i].key), hex);
        printf("  relay %.*s", TERMINAL_TEXT(settings->relays[i].name));
        if (!bytes_equal(settings->relays[i].name, settings->relays[i].endpoint))
            printf(" at %.*s", TERMINAL_TEXT(settings->relays[i].endpoint));
        printf("\n    key %s\n", hex);
    }
    for (uint32_t i = 0; i < settings->publisher_count; i++) {
        ids_to_hex(ID_BYTES(settings->publishers[i]), hex);
        printf("  publisher %s\n", hex);
    }
}

struct text_serving {
    struct bytes tag;
    FILE *out;
    uint32_t count;
};

static void text_serving_try(void *arg, const struct member *member)
{
    struct text_serving *serving = arg;
    char hex[2 * NODE_ID_SIZE + 1];
    if (member->state == MEMBER_REMOVED || member_serves_since(member, serving->tag) == 0)
        return;
    serving->count++;
    ids_to_hex(ID_BYTES(member->node_id), hex);
    if (serving->out != NULL)
        (void)fprintf(serving->out, "  %.*s (%.2s), %s, node %s\n", TERMINAL_TEXT(member->name),
                      (const char *)member->country, member_text_state(member->state), hex);
}

uint32_t society_text_serving(const struct society *society, struct bytes tag, FILE *out)
{
    struct text_serving serving = {.tag = tag, .out = out};
    society_pending_visit(society, text_serving_try, &serving);
    return serving.count;
}

void society_text_officers(const struct society *society, const struct officers *officers)
{
    char hex[2 * KEY_SIZE + 1], name[OFFICER_NAME_SIZE];
    printf("officers     %u, of whom %u must sign each head\n", officers->count,
           officers->threshold);
    for (uint32_t i = 0; i < officers->count; i++) {
        officer_names_find(society, &officers->keys[i], name);
        ids_to_hex(ID_BYTES(officers->keys[i]), hex);
        printf("  %s\n    key %s\n", name, hex);
    }
}
