#include "node/cli/command/request.h"

#include <curl/curl.h>
#include <errno.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/cli/present/api_json.h"
#include "node/cli/terminal/output_file.h"
#include "node/cli/terminal/progress.h"
#include "node/cli/terminal/secret.h"
#include "node/cli/terminal/term.h"

enum { REQUEST_ANSWER_MAX = 64 * 1024 * 1024, REQUEST_PATH_MAX = 2048 };

struct request_answer {
    char *data;
    size_t size;
    FILE *file; /* instead, when the status is good */
    bool (*on_line)(void *arg, char *line);
    void *arg;
    CURL *curl;
    struct command_run *run;
    struct progress progress;
    const char *poll; /* a path that tells how far it got; NULL: the bytes do */
    bool is_polling;
};

static bool request_is_good(CURL *curl)
{
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
}

static bool request_pass_lines(struct request_answer *answer)
{
    char *newline;
    while (answer->size > 0 && (newline = memchr(answer->data, '\n', answer->size)) != NULL) {
        *newline = '\0';
        size_t used = (size_t)(newline - answer->data) + 1;
        if (!answer->on_line(answer->arg, answer->data))
            return false;
        memmove(answer->data, answer->data + used, answer->size - used);
        answer->size -= used;
    }
    return true;
}

static size_t request_on_data(char *data, size_t one, size_t size, void *user)
{
    struct request_answer *answer = user;
    size *= one;
    if (answer->file != NULL && request_is_good(answer->curl))
        return fwrite(data, 1, size, answer->file);
    if (answer->size + size > REQUEST_ANSWER_MAX)
        return 0;
    char *larger = realloc(answer->data, answer->size + size + 1);
    if (larger == NULL)
        return 0;
    answer->data = larger;
    memcpy(answer->data + answer->size, data, size);
    answer->size += size;
    answer->data[answer->size] = '\0';
    if (answer->on_line != NULL && request_is_good(answer->curl) && !request_pass_lines(answer))
        return 0;
    return size;
}

static const char *request_socket(const struct command_run *run)
{
    if (run->socket != NULL)
        return run->socket;
    const char *named = getenv("CONSILIUM_SOCKET");
    return named == NULL ? "/run/consilium/consilium.sock" : named;
}

char *request_escape(const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    if (escaped == NULL)
        abort();
    char *copy = strdup(escaped);
    curl_free(escaped);
    if (copy == NULL)
        abort();
    return copy;
}

static void request_explain(const struct command_run *run, CURLcode code)
{
    const char *socket = request_socket(run);
    errno = 0;
    bool may_write = access(socket, W_OK) == 0;
    if (code != CURLE_COULDNT_CONNECT)
        term_problem("%s: %s", socket, curl_easy_strerror(code));
    else if (errno == EACCES)
        term_problem(
            "%s: you may not use the socket of the node; ask the administrator to add you to "
            "the group that consiliumd.conf names",
            socket);
    else if (!may_write)
        term_problem(
            "%s: no such socket; is consiliumd running? If it uses another socket, name that "
            "with --socket or CONSILIUM_SOCKET",
            socket);
    else
        term_problem("%s: no node answers on this socket; is consiliumd running?", socket);
}

/* curl calls this now and then, at least each second. */
static int request_on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                               curl_off_t up)
{
    struct request_answer *answer = arg;
    if (answer->poll == NULL) {
        bool is_up = up_all > 0 && up < up_all;
        bool is_answer = answer->file == NULL; /* short: not worth a line */
        progress_draw(&answer->progress,
                      is_up       ? up
                      : is_answer ? 0
                                  : down,
                      is_up       ? up_all
                      : is_answer ? 0
                                  : down_all);
    } else if (answer->progress.is_wanted && !answer->is_polling) {
        answer->is_polling = true;
        json_t *told = request_send(answer->run, METHOD_GET, answer->poll, NULL);
        progress_draw(&answer->progress, api_json_number(told, "done"),
                      api_json_number(told, "all"));
        json_decref(told);
        answer->is_polling = false;
    }
    return 0;
}

/* One exchange; OK when the node answered with a good status. */
static bool request_exchange(struct command_run *run, CURL *curl, const char *path,
                             struct request_answer *answer)
{
    char url[REQUEST_PATH_MAX];
    if (path[0] == '/')
        snprintf(url, sizeof url, "http://consilium%s", path);
    else
        snprintf(url, sizeof url, "http://consilium/v1/%s/%s", run->federation, path);
    answer->curl = curl;
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request_socket(run));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, request_on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, request_on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, answer);
    answer->run = run;
    CURLcode code = curl_easy_perform(curl);
    progress_end(&answer->progress);
    if (code != CURLE_OK && !(answer->on_line != NULL && code == CURLE_WRITE_ERROR)) {
        request_explain(run, code);
        return false;
    }
    if (request_is_good(curl))
        return true;
    json_t *error = answer->data == NULL ? NULL : json_loadb(answer->data, answer->size, 0, NULL);
    if (run->is_json && error != NULL)
        term_json(error);
    term_error(error);
    json_decref(error);
    return false;
}

/* The name of the node's only federation, when none was given. */
static bool request_find_federation(struct command_run *run)
{
    static char name[64];
    if (run->federation != NULL)
        return true;
    json_t *status = request_send(run, METHOD_GET, "/v1/status", NULL);
    json_t *all = json_object_get(status, "federations");
    const char *only = NULL;
    if (json_is_object(all) && json_object_size(all) == 1)
        only = json_object_iter_key(json_object_iter(all));
    else if (json_array_size(all) == 1)
        only = json_string_value(json_object_get(json_array_get(all, 0), "name"));
    if (only != NULL)
        snprintf(name, sizeof name, "%s", only);
    else if (status != NULL)
        term_problem(json_array_size(all) == 0
                         ? "this node is in no federation yet; the administrator joins one with "
                           "`consiliumd join`"
                         : "this node is in several federations; name one with --federation");
    json_decref(status);
    run->federation = only == NULL ? NULL : name;
    return only != NULL;
}

static const char *request_method(enum command_method method)
{
    switch (method) {
    case METHOD_GET:
        return "GET";
    case METHOD_POST:
        return "POST";
    case METHOD_PUT:
        return "PUT";
    case METHOD_DELETE:
        return "DELETE";
    }
    return "GET";
}

static json_t *request_parse(const struct request_answer *answer)
{
    json_error_t error;
    if (answer->size == 0)
        return json_object();
    json_t *json = json_loadb(answer->data, answer->size, JSON_DECODE_ANY, &error);
    if (json == NULL)
        term_problem(
            "the answer of the node is not JSON (%s); is --socket the socket of consiliumd?",
            error.text);
    return json;
}

json_t *request_send(struct command_run *run, enum command_method method, const char *path,
                     const json_t *body)
{
    struct request_answer answer = {.data = NULL};
    json_t *result = NULL;
    if (path[0] != '/' && !request_find_federation(run))
        return NULL;
    CURL *curl = curl_easy_init();
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request_method(method));
    if (method != METHOD_GET) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text == NULL ? "{}" : text);
    }
    if (request_exchange(run, curl, path, &answer))
        result = request_parse(&answer);
    if (text != NULL)
        sodium_memzero(text, strlen(text));
    free(text);
    free(answer.data);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return result;
}

json_t *request_thread(struct command_run *run)
{
    char path[512], after[64] = "";
    char *id = request_escape(run->arguments[0]);
    json_t *all = json_array(), *page = NULL;
    bool is_last = false;
    do {
        snprintf(path, sizeof path, "cases/%.300s/thread?limit=200%s", id, after);
        page = request_send(run, METHOD_GET, path, NULL);
        json_array_extend(all, json_object_get(page, "thread"));
        is_last = api_json_text(page, "next")[0] == '\0';
        snprintf(after, sizeof after, "&after=%.32s", api_json_text(page, "next"));
        json_decref(page);
    } while (page != NULL && !is_last);
    free(id);
    if (page != NULL)
        return json_pack("{s:o}", "thread", all);
    json_decref(all);
    return NULL;
}

/* ---- signing ---- */

static const char *request_login(const struct command_run *run)
{
    if (run->clinician != NULL)
        return run->clinician;
    const struct passwd *user = getpwuid(getuid());
    return user == NULL ? NULL : user->pw_name;
}

bool request_signer(struct command_run *run)
{
    run->clinician = request_login(run);
    if (run->clinician == NULL)
        term_problem("this user has no login name; name the account that signs with --clinician");
    return run->clinician != NULL;
}

bool request_check(struct command_run *run, const char *path, json_t *body)
{
    if (!request_signer(run))
        return false;
    json_object_set_new(body, "clinician", json_string(run->clinician));
    json_object_set_new(body, "check", json_true());
    json_t *answer = request_send(run, METHOD_POST, path, body);
    json_object_del(body, "check");
    run->is_checked = answer != NULL;
    json_decref(answer);
    return run->is_checked;
}

json_t *request_sign(struct command_run *run, enum command_method method, const char *path,
                     json_t *body)
{
    char prompt[160];
    if (!run->is_checked && !request_check(run, path, body))
        return NULL;
    run->is_checked = false;
    snprintf(prompt, sizeof prompt, "Passphrase of %.40s", run->clinician);
    char *passphrase = secret_read(SECRET_OLD, run->passphrase_file, prompt);
    if (passphrase == NULL)
        return NULL;
    json_object_set_new(body, "passphrase", json_string(passphrase));
    json_t *answer = request_send(run, method, path, body);
    json_object_del(body, "passphrase");
    return answer;
}

/* ---- bytes ---- */

json_t *request_wait(struct command_run *run, const char *path, const char *poll, const char *what)
{
    struct request_answer answer = {.poll = poll, .progress = progress_begin(what, run->is_json)};
    json_t *result = NULL;
    if (!request_find_federation(run))
        return NULL;
    CURL *curl = curl_easy_init();
    if (request_exchange(run, curl, path, &answer))
        result = request_parse(&answer);
    free(answer.data);
    curl_easy_cleanup(curl);
    return result;
}

json_t *request_upload(struct command_run *run, const char *path, const void *data, size_t size)
{
    struct request_answer answer = {.progress = progress_begin(NULL, run->is_json)};
    json_t *result = NULL;
    if (!request_find_federation(run))
        return NULL;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/octet-stream");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    if (request_exchange(run, curl, path, &answer))
        result = request_parse(&answer);
    free(answer.data);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return result;
}

bool request_download(struct command_run *run, const char *path, const json_t *body,
                      const char *file)
{
    struct request_answer answer = {.progress = progress_begin(NULL, run->is_json)};
    if (!request_find_federation(run))
        return false;
    struct output_file out;
    if (!output_file_open(&out, file))
        return false;
    answer.file = out.stream;
    CURL *curl = curl_easy_init();
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
    }
    bool is_done = request_exchange(run, curl, path, &answer);
    if (is_done)
        is_done = output_file_commit(&out, run->is_sure);
    else
        output_file_discard(&out);
    free(text);
    free(answer.data);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return is_done;
}

bool request_lines(struct command_run *run, const char *path,
                   bool (*on_line)(void *arg, char *line), void *arg)
{
    struct request_answer answer = {.on_line = on_line, .arg = arg};
    if (!request_find_federation(run))
        return false;
    CURL *curl = curl_easy_init();
    bool is_done = request_exchange(run, curl, path, &answer);
    free(answer.data);
    curl_easy_cleanup(curl);
    return is_done;
}
