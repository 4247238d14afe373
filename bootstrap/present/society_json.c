#include "bootstrap/present/society_json.h"

#include <assert.h>

#include "bootstrap/directory/member_text.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/society_text.h"
#include "bootstrap/terminal/terminal.h"
#include "protocol/base/fingerprint.h"

/* ---- values ---- */

json_t *society_json_text(struct bytes text)
{
    return json_stringn((const char *)text.data, text.size);
}

json_t *society_json_hex(struct bytes value)
{
    char hex[2 * HASH_SIZE + 1];
    assert(value.size <= HASH_SIZE);
    ids_to_hex(value, hex);
    return json_string(hex);
}

void society_json_append(json_t **list, json_t *value)
{
    if (json_array_append_new(*list, value) == 0)
        return;
    json_decref(*list);
    *list = NULL;
}

int society_json_print(json_t *value)
{
    if (value == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    int failure = json_dumpf(value, stdout, JSON_COMPACT);
    json_decref(value);
    putchar('\n');
    return failure == 0 ? 0 : terminal_error("cannot write the JSON text to standard output");
}

/* ---- settings and officers ---- */

static json_t *json_boards(const struct settings *settings)
{
    json_t *boards = json_array();
    for (uint32_t i = 0; i < settings->board_count; i++)
        society_json_append(&boards, json_pack("{s:o, s:o}", "tag",
                                               society_json_text(settings->boards[i].tag), "name",
                                               society_json_text(settings->boards[i].name)));
    return boards;
}

static json_t *json_relays(const struct settings *settings)
{
    json_t *relays = json_array();
    for (uint32_t i = 0; i < settings->relay_count; i++)
        society_json_append(&relays,
                            json_pack("{s:o, s:o, s:o}", "key",
                                      society_json_hex(ID_BYTES(settings->relays[i].key)),
                                      "endpoint", society_json_text(settings->relays[i].endpoint),
                                      "name", society_json_text(settings->relays[i].name)));
    return relays;
}

static json_t *json_publishers(const struct settings *settings)
{
    json_t *publishers = json_array();
    for (uint32_t i = 0; i < settings->publisher_count; i++)
        society_json_append(&publishers, society_json_hex(ID_BYTES(settings->publishers[i])));
    return publishers;
}

static json_t *json_settings(const struct settings *settings)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o}", "name",
                     society_json_text(settings->name), "cooling_off_ms",
                     (json_int_t)settings->cooling_off_ms, "announcement_ms_max",
                     (json_int_t)settings->announcement_ms_max, "participant_count_max",
                     (json_int_t)settings->participant_count_max, "generation_count_max",
                     (json_int_t)settings->generation_count_max, "custody_allowed",
                     settings->custody_allowed, "boards", json_boards(settings), "relays",
                     json_relays(settings), "publishers", json_publishers(settings));
}

static json_t *json_officers(const struct officers *officers)
{
    json_t *keys = json_array();
    for (uint32_t i = 0; i < officers->count; i++)
        society_json_append(&keys, society_json_hex(ID_BYTES(officers->keys[i])));
    return keys;
}

/* ---- members ---- */

static json_t *json_member_boards(const struct member *member)
{
    json_t *boards = json_array();
    for (uint32_t i = 0; i < member->board_count; i++)
        society_json_append(&boards,
                            json_pack("{s:o, s:I}", "tag", society_json_text(member->boards[i].tag),
                                      "since_epoch", (json_int_t)member->boards[i].since_epoch));
    return boards;
}

/* Without a successor the field is left out. */
static json_t *json_member(const struct member *member)
{
    json_t *successor =
        ID_IS_ZERO(member->successor) ? NULL : society_json_hex(ID_BYTES(member->successor));
    if (successor == NULL && !ID_IS_ZERO(member->successor))
        return NULL;
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:b, s:o*, s:o}", "node_id",
                     society_json_hex(ID_BYTES(member->node_id)), "name",
                     society_json_text(member->name), "country",
                     society_json_text((struct bytes){member->country, sizeof member->country}),
                     "state", member_text_state(member->state), "sign_key",
                     society_json_hex(ID_BYTES(member->sign_key)), "transport_key",
                     society_json_hex(ID_BYTES(member->transport_key)), "admitted_epoch",
                     (json_int_t)member->admitted_epoch, "state_since_epoch",
                     (json_int_t)member->state_since_epoch, "keys_since_epoch",
                     (json_int_t)member->keys_since_epoch, "keys_signed", member->keys_signed,
                     "successor", successor, "boards", json_member_boards(member));
}

static json_t *json_members(const struct society *society)
{
    json_t *members = json_array();
    struct member member;
    for (uint32_t i = 0; i < roster_count(&society->roster); i++) {
        roster_member(&society->roster, roster_at(&society->roster, i), &member);
        society_json_append(&members, json_member(&member));
    }
    return members;
}

/* ---- all ---- */

static json_t *json_in_force(const struct society *society)
{
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    const struct roster_head *head = roster_current_head(&society->roster);
    struct federation_id federation = roster_federation(&society->roster);
    struct head_id id = roster_current_id(&society->roster);
    society_text_fingerprint(federation.bytes, fingerprint);
    return json_pack("{s:o, s:s, s:I, s:o, s:I, s:b, s:I, s:o, s:o, s:o}", "federation",
                     society_json_hex(ID_BYTES(federation)), "fingerprint", fingerprint, "epoch",
                     (json_int_t)head->epoch, "head", society_json_hex(ID_BYTES(id)),
                     "valid_until_ms", (json_int_t)head->valid_until.ms, "expired",
                     roster_expired(&society->roster, terminal_now()), "threshold",
                     (json_int_t)head->officers.threshold, "officers",
                     json_officers(&head->officers), "settings",
                     json_settings(roster_settings(&society->roster)), "members",
                     json_members(society));
}

static json_t *json_pending(const struct society *society)
{
    const struct society_pending *pending = &society->pending;
    struct head_id id = roster_head_id((struct bytes){pending->body, pending->body_size});
    json_t *members = json_array();
    struct member member;
    for (uint32_t i = 0; i < pending->member_count; i++) {
        if (society_pending_member(society, &pending->members[i].node_id, &member))
            society_json_append(&members, json_member(&member));
    }
    return json_pack("{s:I, s:o, s:I, s:I, s:I, s:o, s:o}", "epoch",
                     (json_int_t)pending->head.epoch, "head", society_json_hex(ID_BYTES(id)),
                     "signatures", (json_int_t)pending->signature_count, "needed",
                     (json_int_t)society_pending_needed(society), "threshold",
                     (json_int_t)pending->head.officers.threshold, "officers",
                     json_officers(&pending->head.officers), "members", members);
}

json_t *society_json_roster(const struct society *society)
{
    json_t *roster = society->roster.filled ? json_in_force(society) : json_object();
    if (society->pending.exists &&
        json_object_set_new(roster, "pending", json_pending(society)) != 0) {
        json_decref(roster);
        return NULL;
    }
    return roster;
}
