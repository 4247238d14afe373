/* Requests to the local node over its Unix socket. */
#ifndef CONSILIUM_NODE_CLI_REQUEST_H
#define CONSILIUM_NODE_CLI_REQUEST_H

#include "node/cli/command.h"

/* `path` as after /v1/FEDERATION/, or from /v1/ when it begins with a slash. `body` is borrowed and
 * may be NULL. The answer, which the caller drops; NULL when it was an error, which was shown. */
json_t *request_send(struct run *run, enum method method, const char *path, const json_t *body);

/* The same, with the clinician and the passphrase put into the body; asks for the passphrase once
 * a run. */
json_t *request_sign(struct run *run, enum method method, const char *path, json_t *body);

/* Who signs: as said, or this user's login. False, and said, when nobody knows. */
bool request_signer(struct run *run);

/* A GET that takes long: `poll`, another path, tells meanwhile {"done", "all"} of `what`. */
json_t *request_wait(struct run *run, const char *path, const char *poll, const char *what);

/* Uploads `data` as application/octet-stream. */
json_t *request_upload(struct run *run, const char *path, const void *data, size_t size);

/* Downloads to `file`. False when it failed (it was shown). `body` NULL: GET, else POST. */
bool request_download(struct run *run, const char *path, const json_t *body, const char *file);

/* Calls `on_line` for each line of an event stream until it says false or the node ends it. */
bool request_lines(struct run *run, const char *path, bool (*on_line)(void *arg, char *line),
                   void *arg);

/* Escapes one segment or value of a path; caller frees. */
char *request_escape(const char *text);

#endif
