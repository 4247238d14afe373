#include "node/api/api.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/api/api_actions.h"
#include "node/api/api_audit.h"
#include "node/api/api_call.h"
#include "node/api/api_cases.h"
#include "node/api/api_clinicians.h"
#include "node/api/api_directory.h"
#include "node/api/api_draft_owners.h"
#include "node/api/api_drafts.h"
#include "node/api/api_events.h"
#include "node/api/api_internal.h"
#include "node/api/api_items.h"
#include "node/api/api_query.h"
#include "node/api/api_status.h"
#include "node/os/file.h"
#include "node/os/log.h"

enum { API_SECRETS_SIZE = 256 * 1024, API_BACKLOG = 64 };

/* ---- which route ---- */

static const struct api_route *const api_lists[] = {
    api_status_routes, api_directory_routes, api_clinicians_routes, api_draft_owners_routes,
    api_drafts_routes, api_cases_routes,     api_items_routes,      api_actions_routes,
    api_audit_routes,  api_events_routes,
};

static bool api_fits(const struct http_request *request, const char *pattern)
{
    size_t part = 2;
    for (const char *at = pattern; *at != 0; part++) {
        size_t size = strcspn(at, "/");
        const char *said = http_request_part(request, part);
        if (said == NULL)
            return false;
        bool is_any = size == 1 && at[0] == '?';
        if (!is_any && (strlen(said) != size || memcmp(said, at, size) != 0))
            return false;
        at += size + (at[size] == '/' ? 1 : 0);
    }
    return http_request_part(request, part) == NULL;
}

/* NULL: none; `ret_exists` tells whether another method would do. */
static const struct api_route *api_route_of(const struct http_request *request, bool *ret_exists)
{
    *ret_exists = false;
    for (size_t i = 0; i < sizeof api_lists / sizeof api_lists[0]; i++) {
        for (const struct api_route *route = api_lists[i]; route->handle != NULL; route++) {
            if (!api_fits(request, route->pattern))
                continue;
            if (route->method == http_request_method(request))
                return route;
            *ret_exists = true;
        }
    }
    return NULL;
}

static bool api_is_node_status(const struct http_request *request)
{
    const char *version = http_request_part(request, 0), *status = http_request_part(request, 1);
    return version != NULL && strcmp(version, "v1") == 0 && status != NULL &&
           strcmp(status, "status") == 0 && http_request_part(request, 2) == NULL &&
           http_request_method(request) == HTTP_GET;
}

static struct api_federation *api_federation_of(struct api *api, const struct http_request *request)
{
    const char *version = http_request_part(request, 0), *name = http_request_part(request, 1);
    for (size_t i = 0; i < api->federation_count; i++) {
        if (version != NULL && strcmp(version, "v1") == 0 && name != NULL &&
            strcmp(api->federations[i].name, name) == 0)
            return &api->federations[i];
    }
    return NULL;
}

/* ---- who may connect ---- */

static bool api_knows_peer(const struct api *api, const struct http_request *request)
{
    struct http_peer peer = http_request_peer(request);
    return peer.is_known &&
           (peer.uid == 0 || peer.uid == geteuid() ||
            (api->has_group && http_request_peer_in_group(request, api->group)) ||
            (api->has_administrators && http_request_peer_in_group(request, api->administrators)) ||
            (api->has_privacy_officers &&
             http_request_peer_in_group(request, api->privacy_officers)));
}

/* API-2: no web page of another origin may use this API. */
static bool api_is_local(const struct http_request *request)
{
    const char *host = http_request_header(request, "Host");
    const char *site = http_request_header(request, "Sec-Fetch-Site");
    if (host == NULL || (strcmp(host, "consilium") != 0 && strcmp(host, "localhost") != 0))
        return false;
    if (http_request_header(request, "Origin") != NULL)
        return false;
    return site == NULL || strcmp(site, "none") == 0 || strcmp(site, "same-origin") == 0;
}

static bool api_has_type(const struct http_request *request, const char *wanted)
{
    const char *type = http_request_header(request, "Content-Type");
    size_t size = strlen(wanted);
    return type != NULL && strncasecmp(type, wanted, size) == 0 &&
           (type[size] == 0 || type[size] == ';' || type[size] == ' ');
}

/* ---- a call begins ---- */

static void api_drop(void *own)
{
    api_call_free(own);
}

static bool api_find_route(struct api_call *call)
{
    bool exists = false;
    call->federation = api_federation_of(call->api, call->request);
    call->route = call->federation == NULL ? NULL : api_route_of(call->request, &exists);
    if (call->route != NULL || api_is_node_status(call->request))
        return true;
    if (call->federation == NULL)
        api_call_refuse_saying(call, ERR_NOT_FOUND, "this node has no federation of that name",
                               "GET /v1/status lists the federations of this node");
    else if (exists)
        api_call_refuse_saying(call, ERR_UNSUPPORTED, "the path exists, but not with this method",
                               NULL);
    else
        api_call_refuse_saying(call, ERR_NOT_FOUND, "the API has no such path",
                               "spec/api.md lists the paths, and the methods of each");
    return false;
}

static bool api_check_head(struct api_call *call)
{
    const struct http_request *request = call->request;
    if (call->api->is_closing) {
        api_call_refuse_saying(call, ERR_BUSY, "the node is stopping",
                               "wait until it runs again: systemctl status consiliumd");
        return false;
    }
    if (!api_knows_peer(call->api, request)) {
        api_call_refuse_saying(
            call, ERR_NOT_ENTITLED, "this user may not use the socket of the node",
            "ask the administrator to add you to the group that the configuration names");
        return false;
    }
    if (!api_is_local(request)) {
        api_call_refuse_saying(call, ERR_NOT_ENTITLED, "requests from web sites are not answered",
                               "send Host: consilium, and no Origin");
        return false;
    }
    return api_find_route(call);
}

/* API-18: an upload takes memory until it is cleaned and stored. */
static bool api_check_upload(struct api_call *call)
{
    struct api *api = call->api;
    size_t free_count = 0, place = 0, own_count = 0;
    for (size_t i = 0; i < API_UPLOAD_COUNT_MAX; i++) {
        if (api->uploads[i] == NULL) {
            free_count++;
            place = i;
        } else if (api_call_uid(api->uploads[i]) == api_call_uid(call)) {
            own_count++;
        }
    }
    size_t kept = api_call_is_administrator(call) ? 0 : API_UPLOAD_KEPT_COUNT;
    if (own_count > 0 || free_count <= kept) {
        api_call_refuse_saying(call, ERR_BUSY,
                               own_count > 0 ? "an upload of this user is running already"
                                             : "as many uploads are running as may run",
                               "wait until it has ended");
        return false;
    }
    api->uploads[place] = call;
    return true;
}

static size_t api_on_head(void *arg, struct http_request *request)
{
    struct api *api = arg;
    struct api_call *call = api_call_new(api, request);
    struct http_answer none = {.status = 500};
    if (call == NULL) {
        http_response_answer(request, &none, BYTES_NONE);
        return 0;
    }
    http_request_set_own(request, call, api_drop);
    if (!api_check_head(call) || http_request_method(request) == HTTP_GET)
        return 0;
    bool is_upload = (call->route->flags & API_UPLOAD) != 0;
    const char *length = http_request_header(request, "Content-Length");
    bool is_empty = length == NULL || strcmp(length, "0") == 0;
    if (is_empty && (call->route->flags & API_NO_BODY) != 0)
        return 0;
    /* API-3: a form of another site cannot send this type without a preflight request */
    if (!api_has_type(request, is_upload ? "application/octet-stream" : "application/json")) {
        struct http_answer wrong = {.status = 415, .type = "application/json; charset=utf-8"};
        http_request_set_own(request, NULL, NULL);
        api_call_free(call);
        http_response_answer(
            request, &wrong,
            bytes_of_text("{\"error\": \"ERR_UNSUPPORTED\", \"message\": \"the type of "
                          "the content is wrong\", \"hint\": \"send application/json; for uploads "
                          "application/octet-stream\"}"));
        return 0;
    }
    if (is_upload && !api_check_upload(call))
        return 0;
    return is_upload ? ATTACHMENT_SIZE_MAX : HTTP_JSON_SIZE_MAX;
}

static bool api_read_form(struct api_call *call)
{
    struct refusal problem;
    bool is_write = http_request_method(call->request) != HTTP_GET;
    bool wants_form = is_write && (call->route->flags & API_UPLOAD) == 0;
    struct bytes body = http_request_body(call->request);
    if (!wants_form || (body.size == 0 && (call->route->flags & API_NO_BODY) != 0))
        return true;
    if (content_json_parse(body, &call->form, &problem) != OK) {
        api_call_refuse(call, &problem);
        return false;
    }
    return true;
}

/* API-4: nothing is signed without the clinician's own passphrase. */
static bool api_read_signer(struct api_call *call)
{
    struct refusal problem;
    const char *login = NULL, *passphrase = NULL;
    if ((call->route->flags & API_SIGNED) == 0)
        return true;
    if (!api_call_take_flag(call, "check", &call->is_check))
        return false;
    if (content_json_need_text(call->form, "clinician", ACCOUNT_LOGIN_SIZE_MAX, &login, &problem) !=
            OK ||
        (!call->is_check &&
         content_json_need_text(call->form, "passphrase", 1024, &passphrase, &problem) != OK)) {
        api_call_refuse(call, &problem);
        return false;
    }
    return api_call_find_signer(call, login);
}

static void api_on_request(void *arg, struct http_request *request)
{
    struct api *api = arg;
    struct api_call *call = http_request_own(request);
    if (call == NULL)
        return;
    /* from here on the call lives until it is answered, even if the client has disconnected */
    http_request_set_own(request, NULL, NULL);
    if (call->route == NULL)
        api_call_answer(call, api_status_node(api));
    else if (api_query_check(call) && api_read_form(call) && api_read_signer(call))
        call->route->handle(call);
}

/* ---- the socket ---- */

static bool api_is_privileged(void *arg, const struct http_peer *peer)
{
    return api_call_is_administrator_peer(arg, peer);
}

static bool api_is_served(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_served = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    if (fd >= 0)
        close(fd);
    return is_served;
}

static err api_bind(const struct api *api, int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return ERR_IO;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (api_is_served(&address))
        return ERR_EXISTS;
    struct stat found;
    if (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode))
        (void)unlink(path);
    mode_t before = umask(0177); /* only this user, until the group is set */
    int bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
    umask(before);
    if (bound != 0)
        return ERR_IO;
    if (api->has_group && (chown(path, (uid_t)-1, api->group) != 0 || chmod(path, 0660) != 0))
        return ERR_IO;
    return listen(fd, API_BACKLOG) == 0 ? OK : ERR_IO;
}

static err api_find_group(const char *name, gid_t *ret_group, bool *ret_has)
{
    const struct group *group = name == NULL ? NULL : getgrnam(name);
    if (group == NULL)
        return name == NULL ? OK : ERR_NOT_FOUND;
    *ret_group = group->gr_gid;
    *ret_has = true;
    return OK;
}

static err api_listen(struct api *api)
{
    struct http_handlers handlers = {api_is_privileged, api_on_head, api_on_request, api};
    struct http_limits limits = http_limits_usual();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    err failure = api_bind(api, fd, api->config.socket);
    if (failure == OK)
        failure = http_new(api->config.loop, fd, &handlers, &limits, &api->http);
    if (failure != OK)
        close(fd);
    return failure;
}

/* ---- start and end ---- */

static err api_directory(const struct api *api, const char *name, char ret_path[static 4096])
{
    int size = snprintf(ret_path, 4096, "%s/clinicians", api->config.data);
    err failure = size > 0 && size < 4000 ? file_ensure_directory(ret_path, 0700) : ERR_TOO_LARGE;
    size = snprintf(ret_path, 4096, "%s/clinicians/%s", api->config.data, name);
    return size > 0 && size < 4096 ? failure : ERR_TOO_LARGE;
}

static err api_open(struct api *api, size_t index)
{
    struct api_federation *federation = &api->federations[api->federation_count++];
    char path[4096];
    federation->api = api;
    federation->runtime = api->config.runtimes[index];
    federation->links = api->config.links[index];
    federation->name = runtime_settings(federation->runtime)->name;
    err failure = api_directory(api, federation->name, path);
    struct service_config config = {.runtime = federation->runtime,
                                    .items = api->config.items[index],
                                    .workers = api->config.workers,
                                    .checks = api->checks,
                                    .secrets = api->secrets,
                                    .accounts = path};
    if (failure == OK)
        failure = service_new(&config, &federation->service);
    if (failure == OK)
        api_events_listen(federation);
    return failure;
}

err api_new(const struct api_config *config, struct api **ret_api)
{
    struct api *api = calloc(1, sizeof *api);
    if (api == NULL)
        return ERR_NO_MEMORY;
    content_json_harden();
    api->config = *config;
    api->uses = 1;
    err failure = api_find_group(config->group, &api->group, &api->has_group);
    if (failure == OK)
        failure =
            api_find_group(config->administrators, &api->administrators, &api->has_administrators);
    if (failure == OK)
        failure = api_find_group(config->privacy_officers, &api->privacy_officers,
                                 &api->has_privacy_officers);
    if (failure == OK)
        failure = secure_arena_new(API_SECRETS_SIZE, &api->secrets);
    if (failure == OK && (api->checks = passphrase_checks_new(config->workers)) == NULL)
        failure = ERR_NO_MEMORY;
    for (size_t i = 0; failure == OK && i < config->count && i < API_FEDERATION_COUNT_MAX; i++)
        failure = api_open(api, i);
    if (failure == OK)
        failure = api_listen(api);
    if (failure == OK)
        failure =
            http_probe_new(config->loop, config->socket,
                           config->probe_ms == 0 ? HTTP_PROBE_MS : config->probe_ms, &api->probe);
    if (failure != OK) {
        api_free(api);
        return failure;
    }
    *ret_api = api;
    return OK;
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    api->is_closing = true;
    http_probe_free(api->probe);
    api->probe = NULL;
    api_events_stop(api);
    if (api->http != NULL)
        (void)unlink(api->config.socket);
    http_free(api->http);
    api->http = NULL;
    for (size_t i = 0; i < api->federation_count; i++) {
        struct api_federation *federation = &api->federations[i];
        api_audit_stop(federation);
        service_stop(federation->service);
        runtime_unlisten(federation->runtime, federation);
    }
    api_call_release(api);
}

bool api_is_answering(const struct api *api)
{
    return http_probe_is_answered(api->probe);
}
