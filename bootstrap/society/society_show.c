#include "bootstrap/society/society_show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/member_text.h"
#include "bootstrap/directory/officer_names.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/look_alikes.h"
#include "bootstrap/present/society_changes.h"
#include "bootstrap/present/society_json.h"
#include "bootstrap/present/society_text.h"
#include "bootstrap/terminal/terminal.h"
#include "protocol/base/fingerprint.h"

/* ---- show ---- */

/* Those that people could take for each other, once more and in full. */
static void show_look_alikes(const struct society *society)
{
    struct look_alikes *all = look_alikes_new(society);
    uint32_t shown = 0;
    for (uint32_t i = 0; all != NULL && i < roster_count(&society->roster); i++) {
        struct member member;
        roster_member(&society->roster, roster_at(&society->roster, i), &member);
        if (look_alikes_count(all, &member) == 0)
            continue;
        if (shown++ == 0)
            puts("CAUTION: these members have names that look alike");
        member_text_describe(&member, stdout);
    }
    look_alikes_free(all);
}

static void show_members(const struct society *society)
{
    char hex[2 * NODE_ID_SIZE + 1];
    printf("members      %u\n", roster_count(&society->roster));
    for (uint32_t i = 0; i < roster_count(&society->roster); i++) {
        struct member member;
        roster_member(&society->roster, roster_at(&society->roster, i), &member);
        ids_to_hex(ID_BYTES(member.node_id), hex);
        printf("  %s  %-9s  %.2s  %.*s:", hex, member_text_state(member.state),
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
        show_look_alikes(society);
    }
    if (society->pending.exists)
        society_changes_show(society);
}

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
    int status = 0;
    if (options->json)
        status = society_json_print(society_json_roster(society));
    else
        show_text(society);
    society_directory_close(society);
    free(society);
    return status;
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

static json_t *show_head_json(const struct show_head *head)
{
    return json_pack("{s:I, s:o, s:I, s:I, s:I}", "epoch", (json_int_t)head->head.epoch, "head",
                     society_json_hex(ID_BYTES(head->id)), "issued_ms",
                     (json_int_t)head->head.issued.ms, "signatures", (json_int_t)head->signatures,
                     "members", (json_int_t)head->head.member_count);
}

static void show_head_text(const struct show_head *head)
{
    char hex[2 * HASH_SIZE + 1], date[TERMINAL_DATE_SIZE];
    terminal_date(head->head.issued, date);
    ids_to_hex(ID_BYTES(head->id), hex);
    printf("epoch %-4" PRIu64 " %s  %u signature%s, %u member%s\n  head       %s\n",
           head->head.epoch, date, head->signatures, head->signatures == 1 ? "" : "s",
           head->head.member_count, head->head.member_count == 1 ? "" : "s", hex);
}

/* Appends each head to `*heads`, or prints it when that is NULL. */
static bool show_history(const struct society *society, json_t **heads)
{
    struct show_head head;
    for (uint32_t i = 0; i < society->roster.chain.count; i++) {
        if (!show_read_head(society, society->roster.chain.links[i].epoch, &head))
            return false;
        if (heads != NULL)
            society_json_append(heads, show_head_json(&head));
        else
            show_head_text(&head);
    }
    return true;
}

static int show_proof_json(const struct society *society)
{
    struct federation_id federation = roster_federation(&society->roster);
    json_t *heads = json_array();
    if (!show_history(society, &heads)) {
        json_decref(heads);
        return 1;
    }
    return society_json_print(json_pack("{s:o, s:b, s:o}", "federation",
                                        society_json_hex(ID_BYTES(federation)), "verified", 1,
                                        "heads", heads));
}

/* Opening the directory has proved everything; this says what was proved. */
static int show_proof(const struct society *society, const struct society_options *options)
{
    struct federation_id federation = roster_federation(&society->roster);
    uint8_t wanted[HASH_SIZE];
    if (!society->roster.filled)
        return terminal_error("the federation is not founded yet: all its officers must `sign` the "
                              "founding head first");
    if (options->federation != NULL && ids_from_hex(options->federation, wanted, HASH_SIZE) != OK)
        return terminal_usage("--federation needs all 64 hexadecimal digits of the id");
    if (options->federation != NULL && memcmp(wanted, federation.bytes, HASH_SIZE) != 0)
        return terminal_error("this directory holds another federation than --federation names");
    if (options->json)
        return show_proof_json(society);
    if (!show_history(society, NULL))
        return 1;
    society_text_identity(society);
    puts("every head is signed by enough officers, continues the one before, and reproduces "
         "its roots");
    return 0;
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
