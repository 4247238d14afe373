#include "node/onboarding/joining.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/os/file.h"
#include "node/roster_sync/roster_sync.h"
#include "protocol/member/endpoint.h"
#include "protocol/member/tag.h"
#include "protocol/roster/invitation.h"

enum { JOINING_FILE_SIZE_MAX = 64 * 1024 * 1024, JOINING_PATH_MAX = 4096 };

static err joining_fail(char *ret_problem, const char *subject, const char *what, err failure)
{
    snprintf(ret_problem, JOINING_PROBLEM_SIZE, "%.300s: %s", subject, what);
    return failure;
}

/* ---- asking ---- */

static int joining_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static err joining_fill(const struct joining_request *asked, struct join_request *request,
                        char *ret_problem)
{
    const char *tags[MEMBER_BOARD_COUNT_MAX];
    if (asked->name != NULL &&
        member_name_check(bytes_of_text(asked->name), MEMBER_NAME_SIZE_MAX) != OK)
        return joining_fail(ret_problem, "--name",
                            "1 to 200 bytes of UTF-8, without control characters", ERR_INVALID);
    if (asked->name != NULL)
        request->name = bytes_of_text(asked->name);
    if (strlen(asked->country) != 2 || strspn(asked->country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
        return joining_fail(ret_problem, asked->country,
                            "is no country code of two capital letters, such as CH", ERR_INVALID);
    memcpy(request->country, asked->country, 2);
    if (asked->endpoint_count > ENDPOINT_COUNT_MAX || asked->board_count > MEMBER_BOARD_COUNT_MAX)
        return joining_fail(ret_problem, "init", "too many endpoints or boards", ERR_TOO_LARGE);
    for (size_t i = 0; i < asked->endpoint_count; i++) {
        request->endpoints[i] = bytes_of_text(asked->endpoints[i]);
        if (endpoint_check(request->endpoints[i]) != OK)
            return joining_fail(ret_problem, asked->endpoints[i],
                                "is no endpoint such as tcp://consilium.example.org:7801",
                                ERR_INVALID);
    }
    request->endpoint_count = (uint32_t)asked->endpoint_count;
    for (size_t i = 0; i < asked->board_count; i++) {
        tags[i] = asked->boards[i];
        if (tag_check(bytes_of_text(tags[i])) != OK)
            return joining_fail(ret_problem, tags[i],
                                "is no specialty tag such as oncology or hematology/bmt",
                                ERR_INVALID);
    }
    qsort(tags, asked->board_count, sizeof *tags, joining_compare);
    for (size_t i = 0; i < asked->board_count; i++) {
        if (i == 0 || strcmp(tags[i], tags[i - 1]) != 0)
            request->tags[request->tag_count++] = bytes_of_text(tags[i]);
    }
    return OK;
}

err joining_check(const struct joining_request *asked,
                  char ret_problem[static JOINING_PROBLEM_SIZE])
{
    struct join_request request = {.tag_count = 0};
    return joining_fill(asked, &request, ret_problem);
}

/* Where a request stays, for whoever loses the one that was written. */
static err joining_kept(const char *data, char ret_path[static JOINING_PATH_MAX])
{
    int size = snprintf(ret_path, JOINING_PATH_MAX, "%s/request", data);
    errno = ENAMETOOLONG;
    return size < 0 || size >= JOINING_PATH_MAX ? ERR_IO : OK;
}

static err joining_give(struct bytes request, const char *path, char *ret_fingerprint,
                        char *ret_problem)
{
    err failure = file_write(path, request, 0644);
    if (failure != OK)
        return joining_fail(ret_problem, path, strerror(errno), failure);
    struct hash hash = join_fingerprint(request);
    fingerprint_write(&hash, ret_fingerprint);
    return OK;
}

/* A request of this identity, whole. */
static bool joining_is_own(struct bytes all, const struct identity *identity,
                           struct join_request *ret_request)
{
    return join_read(all, ret_request) == OK && ID_EQUAL(ret_request->node_id, identity->node_id) &&
           ID_EQUAL(ret_request->sign_key, identity->sign_key);
}

/* The name of the newest request, so that another address does not bring an older name back. The
 * name borrows from `*ret_file`, which the caller frees. */
static struct bytes joining_newest_name(const struct identity *identity, const char *kept,
                                        uint8_t **ret_file)
{
    struct join_request newest;
    size_t size = 0;
    if (file_read(kept, JOIN_REQUEST_SIZE_MAX, ret_file, &size) == OK &&
        joining_is_own((struct bytes){*ret_file, size}, identity, &newest))
        return newest.name;
    return bytes_of_text(identity->name);
}

/* Signs the request into `buffer` and keeps it. */
static err joining_sign(const struct identity *identity, const struct join_request *request,
                        const char *kept, struct buffer *buffer, char *ret_problem)
{
    err failure = join_write(buffer, request, identity->sign_secret);
    if (failure != OK)
        return joining_fail(ret_problem, "init",
                            "name, country, endpoints or boards break a rule of the roster",
                            failure);
    failure = file_write(kept, buffer_bytes(buffer), 0600);
    if (failure != OK)
        return joining_fail(ret_problem, kept, strerror(errno), failure);
    return OK;
}

err joining_ask(const struct identity *identity, const struct joining_request *asked,
                const char *path, char ret_fingerprint[static FINGERPRINT_TEXT_SIZE],
                char ret_problem[static JOINING_PROBLEM_SIZE])
{
    struct join_request request = {.node_id = identity->node_id,
                                   .sign_key = identity->sign_key,
                                   .transport_key = identity->transport_key,
                                   .time = runtime_wall()};
    uint8_t memory[JOIN_REQUEST_SIZE_MAX];
    struct buffer buffer = buffer_over(memory, sizeof memory);
    char kept[JOINING_PATH_MAX];
    uint8_t *newest = NULL;
    err failure = joining_kept(asked->data, kept);
    if (failure != OK)
        return joining_fail(ret_problem, asked->data, strerror(errno), failure);
    request.name = joining_newest_name(identity, kept, &newest);
    failure = joining_fill(asked, &request, ret_problem);
    if (failure == OK)
        failure = joining_sign(identity, &request, kept, &buffer, ret_problem);
    if (failure == OK)
        failure = joining_give(buffer_bytes(&buffer), path, ret_fingerprint, ret_problem);
    free(newest);
    return failure;
}

err joining_ask_again(const char *data, const char *path,
                      char ret_fingerprint[static FINGERPRINT_TEXT_SIZE],
                      char ret_problem[static JOINING_PROBLEM_SIZE])
{
    char kept[JOINING_PATH_MAX], problem[IDENTITY_PROBLEM_SIZE];
    struct identity identity;
    struct join_request request;
    uint8_t *file = NULL;
    size_t size = 0;
    err failure = identity_peek(data, &identity, problem);
    if (failure != OK) {
        snprintf(ret_problem, JOINING_PROBLEM_SIZE, "%s", problem);
        return ERR_INVALID;
    }
    failure = joining_kept(data, kept);
    if (failure == OK)
        failure = file_read(kept, JOIN_REQUEST_SIZE_MAX, &file, &size);
    if (failure == OK && !joining_is_own((struct bytes){file, size}, &identity, &request))
        failure = ERR_NOT_FOUND;
    if (failure == OK)
        failure = joining_give((struct bytes){file, size}, path, ret_fingerprint, ret_problem);
    else
        (void)joining_fail(ret_problem, data,
                           "no request of this institution is kept there; say --country, --board "
                           "and --endpoint again, as at `init`",
                           failure);
    free(file);
    return failure;
}

/* ---- taking the answer ---- */

static err joining_read(const char *path, uint8_t **ret_data, struct invitation *ret_invitation,
                        char *ret_problem)
{
    size_t size;
    err failure = file_read(path, JOINING_FILE_SIZE_MAX, ret_data, &size);
    if (failure != OK)
        return joining_fail(ret_problem, path,
                            failure == ERR_IO          ? strerror(errno)
                            : failure == ERR_NOT_FOUND ? "there is no such file"
                                                       : err_sentence(failure),
                            failure);
    failure = invitation_read((struct bytes){*ret_data, size}, ret_invitation);
    if (failure != OK) {
        free(*ret_data);
        return joining_fail(ret_problem, path, "is no invitation; ask the society to send it again",
                            failure);
    }
    return OK;
}

err joining_fingerprint(const char *path, struct hash *ret_hash,
                        char ret_problem[static JOINING_PROBLEM_SIZE])
{
    uint8_t *data;
    struct invitation invitation;
    err failure = joining_read(path, &data, &invitation, ret_problem);
    if (failure != OK)
        return failure;
    *ret_hash = invitation_fingerprint(&invitation);
    free(data);
    return OK;
}

/* All heads of the invitation as roster_sync_keep wants them: it has them framed already. */
static err joining_keep(const struct identity *identity, const char *data,
                        const struct invitation *invitation, const struct roster *roster,
                        char *ret_problem)
{
    struct store *store;
    struct store_options options = {.owner =
                                        runtime_owner(&invitation->federation, &identity->node_id)};
    err failure = store_open(data, identity->store_key, &options, ret_problem, &store);
    if (failure != OK)
        return failure;
    failure = roster_sync_keep(store, roster, invitation->heads);
    store_close(store);
    return failure == OK ? OK : joining_fail(ret_problem, data, err_sentence(failure), failure);
}

err joining_accept(const struct identity *identity, const char *data, const char *path,
                   struct joining_accepted *ret_accepted,
                   char ret_problem[static JOINING_PROBLEM_SIZE])
{
    uint8_t *file;
    struct invitation invitation;
    struct roster_plan plan = roster_plan_full();
    struct roster roster;
    err failure = joining_read(path, &file, &invitation, ret_problem);
    if (failure != OK)
        return failure;
    void *memory = calloc(1, roster_size(&plan));
    if (memory == NULL) {
        free(file);
        return joining_fail(ret_problem, path, "not enough memory for the roster", ERR_NO_MEMORY);
    }
    roster_init(&roster, &plan, memory, &identity->node_id, &invitation.federation);
    failure = ID_EQUAL(invitation.node_id, identity->node_id)
                  ? invitation_accept(&invitation, &roster, runtime_wall())
                  : ERR_UNKNOWN_MEMBER;
    if (failure == ERR_UNKNOWN_MEMBER)
        (void)joining_fail(ret_problem, path, "invites another institution than this one", failure);
    else if (failure != OK)
        (void)joining_fail(ret_problem, path, err_sentence(failure), failure);
    else
        failure = joining_keep(identity, data, &invitation, &roster, ret_problem);
    if (failure == OK) {
        const struct settings *settings = roster_settings(&roster);
        ret_accepted->federation = invitation.federation;
        ret_accepted->epoch = roster_current_head(&roster)->epoch;
        ret_accepted->member_count = roster_count(&roster);
        snprintf(ret_accepted->name, sizeof ret_accepted->name, "%.*s", (int)settings->name.size,
                 (const char *)settings->name.data);
    }
    free(memory);
    free(file);
    return failure;
}
