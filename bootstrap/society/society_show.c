#include "bootstrap/society/society_show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/officer_names.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/society_changes.h"
#include "bootstrap/present/society_json.h"
#include "bootstrap/present/society_text.h"
#include "bootstrap/terminal/terminal.h"
#include "protocol/base/fingerprint.h"

#define SHOW_HOUR_MS ((uint64_t)60 * 60 * 1000)

/* ---- identity ---- */

/* ---- settings and officers ---- */

/* ---- all, for people ---- */

static void show_members(const struct society *society)
{
    char hex[2 * NODE_ID_SIZE + 1];
    printf("members      %u\n", roster_count(&society->roster));
    for (uint32_t i = 0; i < roster_count(&society->roster); i++) {
        struct member member;
        roster_member(&society->roster, roster_at(&society->roster, i), &member);
        ids_to_hex(ID_BYTES(member.node_id), hex);
        printf("  %s  %-9s  %.2s  %.*s:", hex, society_text_state(member.state),
               (const char *)member.country, TERMINAL_TEXT(member.name));
        for (uint32_t k = 0; k < member.board_count; k++)
            printf(" %.*s", TERMINAL_TEXT(member.boards[k].tag));
        putchar('\n');
    }
}

static void show_text(const struct society *society)
{
    society_text_identity(society);
    if (society->roster.filled) {
        society_text_officers(society, &roster_current_head(&society->roster)->officers);
        puts("settings");
        society_text_settings(roster_settings(&society->roster));
        show_members(society);
    }
    if (society->pending.exists)
        society_changes_show(society);
}

/* ---- all, for programs ---- */

static void json_settings(struct society_json *json, const struct settings *settings)
{
    society_json_open(json, "settings", '{');
    society_json_text(json, "name", settings->name);
    society_json_number(json, "cooling_off_ms", settings->cooling_off_ms);
    society_json_number(json, "announcement_ms_max", settings->announcement_ms_max);
    society_json_number(json, "participant_count_max", settings->participant_count_max);
    society_json_number(json, "generation_count_max", settings->generation_count_max);
    society_json_bool(json, "custody_allowed", settings->custody_allowed);
    society_json_open(json, "boards", '[');
    for (uint32_t i = 0; i < settings->board_count; i++) {
        society_json_open(json, NULL, '{');
        society_json_text(json, "tag", settings->boards[i].tag);
        society_json_text(json, "name", settings->boards[i].name);
        society_json_close(json, '}');
    }
    society_json_close(json, ']');
    society_json_open(json, "relays", '[');
    for (uint32_t i = 0; i < settings->relay_count; i++) {
        society_json_open(json, NULL, '{');
        society_json_hex(json, "key", ID_BYTES(settings->relays[i].key));
        society_json_text(json, "endpoint", settings->relays[i].endpoint);
        society_json_text(json, "name", settings->relays[i].name);
        society_json_close(json, '}');
    }
    society_json_close(json, ']');
    society_json_open(json, "publishers", '[');
    for (uint32_t i = 0; i < settings->publisher_count; i++)
        society_json_hex(json, NULL, ID_BYTES(settings->publishers[i]));
    society_json_close(json, ']');
    society_json_close(json, '}');
}

static void json_officers(struct society_json *json, const struct officers *officers)
{
    society_json_number(json, "threshold", officers->threshold);
    society_json_open(json, "officers", '[');
    for (uint32_t i = 0; i < officers->count; i++)
        society_json_hex(json, NULL, ID_BYTES(officers->keys[i]));
    society_json_close(json, ']');
}

static void json_member(struct society_json *json, const struct member *member)
{
    society_json_open(json, NULL, '{');
    society_json_hex(json, "node_id", ID_BYTES(member->node_id));
    society_json_text(json, "name", member->name);
    society_json_text(json, "country", (struct bytes){member->country, 2});
    society_json_text(json, "state", bytes_of_text(society_text_state(member->state)));
    society_json_hex(json, "sign_key", ID_BYTES(member->sign_key));
    society_json_hex(json, "transport_key", ID_BYTES(member->transport_key));
    society_json_number(json, "admitted_epoch", member->admitted_epoch);
    society_json_number(json, "state_since_epoch", member->state_since_epoch);
    society_json_number(json, "keys_since_epoch", member->keys_since_epoch);
    society_json_bool(json, "keys_signed", member->keys_signed);
    if (!ID_IS_ZERO(member->successor))
        society_json_hex(json, "successor", ID_BYTES(member->successor));
    society_json_open(json, "boards", '[');
    for (uint32_t i = 0; i < member->board_count; i++) {
        society_json_open(json, NULL, '{');
        society_json_text(json, "tag", member->boards[i].tag);
        society_json_number(json, "since_epoch", member->boards[i].since_epoch);
        society_json_close(json, '}');
    }
    society_json_close(json, ']');
    society_json_close(json, '}');
}

static void json_roster(struct society_json *json, const struct society *society)
{
    char print[FINGERPRINT_TEXT_SIZE];
    const struct roster_head *head = roster_current_head(&society->roster);
    struct federation_id federation = roster_federation(&society->roster);
    struct head_id id = roster_current_id(&society->roster);
    society_json_hex(json, "federation", ID_BYTES(federation));
    society_text_fingerprint(federation.bytes, print);
    society_json_text(json, "fingerprint", bytes_of_text(print));
    society_json_number(json, "epoch", head->epoch);
    society_json_hex(json, "head", ID_BYTES(id));
    society_json_number(json, "valid_until_ms", head->valid_until.ms);
    society_json_bool(json, "expired", roster_expired(&society->roster, terminal_now()));
    json_officers(json, &head->officers);
    json_settings(json, roster_settings(&society->roster));
    society_json_open(json, "members", '[');
    for (uint32_t i = 0; i < roster_count(&society->roster); i++) {
        struct member member;
        roster_member(&society->roster, roster_at(&society->roster, i), &member);
        json_member(json, &member);
    }
    society_json_close(json, ']');
}

static void json_pending(struct society_json *json, const struct society *society)
{
    const struct society_pending *pending = &society->pending;
    struct head_id id = roster_head_id((struct bytes){pending->body, pending->body_size});
    society_json_open(json, "pending", '{');
    society_json_number(json, "epoch", pending->head.epoch);
    society_json_hex(json, "head", ID_BYTES(id));
    society_json_number(json, "signatures", pending->signature_count);
    society_json_number(json, "needed", society_pending_needed(society));
    json_officers(json, &pending->head.officers);
    society_json_open(json, "members", '[');
    for (uint32_t i = 0; i < pending->member_count; i++) {
        struct member member;
        if (society_pending_member(society, &pending->members[i].node_id, &member))
            json_member(json, &member);
    }
    society_json_close(json, ']');
    society_json_close(json, '}');
}

static void show_json(const struct society *society)
{
    struct society_json json = {.out = stdout, .first = true};
    society_json_open(&json, NULL, '{');
    if (society->roster.filled)
        json_roster(&json, society);
    if (society->pending.exists)
        json_pending(&json, society);
    society_json_close(&json, '}');
    putchar('\n');
}

/* ---- commands ---- */

static struct society *show_open(const struct society_options *options)
{
    struct society *society = malloc(sizeof *society);
    if (society == NULL)
        terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    else if (society_directory_open(society, options->society, false))
        return society;
    free(society);
    return NULL;
}

int society_show_all(const struct society_options *options)
{
    struct society *society = show_open(options);
    if (society == NULL)
        return 1;
    if (options->json)
        show_json(society);
    else
        show_text(society);
    society_directory_close(society);
    free(society);
    return 0;
}

struct show_head {
    struct roster_head head;
    struct head_id id;
    uint32_t signatures;
};

static bool show_read_head(const struct society *society, uint64_t epoch, struct show_head *ret)
{
    uint8_t *data;
    size_t size;
    struct roster_head_signed signed_head;
    if (!society_directory_read_head(society, epoch, &data, &size))
        return false;
    bool read = roster_head_signed_read((struct bytes){data, size}, &signed_head) == OK &&
                roster_head_read(signed_head.body, &ret->head) == OK;
    if (read) {
        ret->id = roster_head_id(signed_head.body);
        ret->signatures = signed_head.signature_count;
    }
    free(data);
    return read;
}

static void show_verified_head(const struct show_head *head, struct society_json *json)
{
    char hex[2 * HASH_SIZE + 1], date[TERMINAL_DATE_SIZE];
    if (json != NULL) {
        society_json_open(json, NULL, '{');
        society_json_number(json, "epoch", head->head.epoch);
        society_json_hex(json, "head", ID_BYTES(head->id));
        society_json_number(json, "issued_ms", head->head.issued.ms);
        society_json_number(json, "signatures", head->signatures);
        society_json_number(json, "members", head->head.member_count);
        society_json_close(json, '}');
        return;
    }
    terminal_date(head->head.issued, date);
    ids_to_hex(ID_BYTES(head->id), hex);
    printf("epoch %-4" PRIu64 " %s  %u signature%s, %u member%s\n  head       %s\n",
           head->head.epoch, date, head->signatures, head->signatures == 1 ? "" : "s",
           head->head.member_count, head->head.member_count == 1 ? "" : "s", hex);
}

static int show_history(const struct society *society, struct society_json *json)
{
    struct show_head head;
    for (uint32_t i = 0; i < society->roster.chain.count; i++) {
        if (!show_read_head(society, society->roster.chain.links[i].epoch, &head))
            return 1;
        show_verified_head(&head, json);
    }
    return 0;
}

/* Opening has proved everything; this says what was proved. */
static int show_proof(const struct society *society, const struct society_options *options)
{
    struct society_json json = {.out = stdout, .first = true};
    struct federation_id federation = roster_federation(&society->roster);
    uint8_t wanted[HASH_SIZE];
    if (!society->roster.filled)
        return terminal_error("the federation is not founded yet: its officers have to `sign`");
    if (options->federation != NULL && ids_from_hex(options->federation, wanted, HASH_SIZE) != OK)
        return terminal_usage("--federation wants all 64 hexadecimal digits of the id");
    if (options->federation != NULL && memcmp(wanted, federation.bytes, HASH_SIZE) != 0)
        return terminal_error("this is another federation than the one that --federation names");
    if (!options->json) {
        int status = show_history(society, NULL);
        society_text_identity(society);
        puts("every head is signed by enough officers, continues the one before, and reproduces "
             "its roots");
        return status;
    }
    society_json_open(&json, NULL, '{');
    society_json_hex(&json, "federation", ID_BYTES(federation));
    society_json_bool(&json, "verified", true);
    society_json_open(&json, "heads", '[');
    int status = show_history(society, &json);
    society_json_close(&json, ']');
    society_json_close(&json, '}');
    putchar('\n');
    return status;
}

int society_show_verify(const struct society_options *options)
{
    struct society *society = show_open(options);
    if (society == NULL)
        return 1;
    int status = show_proof(society, options);
    society_directory_close(society);
    free(society);
    return status;
}
