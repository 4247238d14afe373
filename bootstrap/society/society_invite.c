#include "bootstrap/society/society_invite.h"

#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/member_text.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/society_text.h"
#include "bootstrap/terminal/terminal.h"
#include "node/os/file.h"
#include "protocol/base/fingerprint.h"
#include "protocol/roster/invitation.h"
#include "protocol/roster/roster_snapshot.h"

static bool invite_add_heads(const struct society *society, const uint64_t *epochs, uint32_t count,
                             struct buffer *file)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *data;
        size_t size;
        if (!society_directory_read_head(society, epochs[i], &data, &size))
            return false;
        invitation_add_head(file, (struct bytes){data, size});
        free(data);
    }
    return true;
}

static int invite_write(const struct society_options *options, const struct node_id *node_id,
                        struct bytes all)
{
    char hex[2 * NODE_ID_SIZE + 1], name[64], print[FINGERPRINT_TEXT_SIZE];
    struct invitation invitation;
    ids_to_hex(ID_BYTES(*node_id), hex);
    snprintf(name, sizeof name, "%.8s.invitation", hex);
    const char *path = options->output != NULL ? options->output : name;
    if (invitation_read(all, &invitation) != OK)
        return terminal_error("the history has too many heads for an invitation");
    err failure = file_write(path, all, 0644);
    if (failure != OK)
        return terminal_error("cannot write %s: %s", path, terminal_reason(failure));
    struct hash hash = invitation_fingerprint(&invitation);
    fingerprint_write(&hash, print);
    printf("The invitation is in %s; mail it to the institution.\n"
           "  fingerprint  %s\n"
           "Read the fingerprint to them on the phone; they type it at `consiliumd join`.\n",
           path, print);
    return 0;
}

static int invite_build(const struct society *society, const struct society_options *options,
                        const struct node_id *node_id, uint64_t *epochs)
{
    struct federation_id federation = roster_federation(&society->roster);
    uint32_t count = society_directory_epochs(society, epochs);
    if (count == 0)
        return terminal_error(
            "a roster head in this directory cannot be read; `verify` says which");
    size_t size =
        256 + (size_t)count * (HEAD_SIZE_MAX + 4) + roster_snapshot_size(&society->roster);
    struct buffer file = buffer_over(malloc(size), size);
    if (file.data == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    int status = 1;
    invitation_begin(&file, &federation, node_id, count);
    if (invite_add_heads(society, epochs, count, &file)) {
        invitation_end(&file, &society->roster);
        status = invite_write(options, node_id, buffer_bytes(&file));
    }
    free(file.data);
    return status;
}

static int invite_member(struct society *society, const struct society_options *options)
{
    struct member member;
    if (!society->roster.filled)
        return terminal_error("the federation is not founded yet: all its officers must `sign` the "
                              "founding head first");
    if (!society_pending_find(society, options->arguments[0], &member))
        return 1;
    const struct roster_entry *entry = roster_find(&society->roster, &member.node_id);
    if (entry == NULL)
        return terminal_error("the admission is pending: let the officers `sign` first");
    if (entry->state != MEMBER_ADMITTED)
        return terminal_error("`%.*s` is %s; only admitted members can be invited",
                              TERMINAL_TEXT(member.name), member_text_state(entry->state));
    uint64_t *epochs = malloc(society->roster.chain.count * sizeof *epochs);
    if (epochs == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    int status = invite_build(society, options, &entry->node_id, epochs);
    free(epochs);
    return status;
}

int society_invite_member(const struct society_options *options)
{
    struct society *society = malloc(sizeof *society);
    if (society == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    int status = 1;
    if (society_directory_open(society, options->society, false)) {
        status = invite_member(society, options);
        society_directory_close(society);
    }
    free(society);
    return status;
}
