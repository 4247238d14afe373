/* What one user of the machine may take of the node, and what administrators see and end of it. As
 * root only: it is about other users. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <grp.h>

#include "node/drafts/draft.h"
#include "tests/harness/service_fixture.h"

enum { GUEST_UID = 65534 };

/* A's socket lets the group `users` in; `games` are administrators. */
static int guests_setup(void **state)
{
    if (geteuid() != 0)
        return 0; /* each test skips */
    assert_int_equal(0, service_setup(state));
    struct service_fixture *room = *state;
    service_shut(room, A);
    room->houses[A].group = "users";
    room->houses[A].administrators = "games";
    service_open(room, A);
    assert_int_equal(0, chmod(room->network->folder, 0755));
    assert_int_equal(0, chmod(room->houses[A].socket, 0666));
    return 0;
}

static int guests_teardown(void **state)
{
    return geteuid() == 0 ? service_teardown(state) : 0;
}

static void as_member_of(struct service_fixture *room, const char *group)
{
    room->guest = (struct service_guest){GUEST_UID, getgrnam(group)->gr_gid};
}

static void as_root(struct service_fixture *room)
{
    room->guest = (struct service_guest){.uid = 0};
}

/* `ret_path`: 160 bytes, or NULL. */
static void make_draft(struct service_fixture *room, char *ret_path)
{
    json_t *draft = service_do(room, A, "POST /v1/town/drafts", service_a_good_draft());
    if (ret_path != NULL)
        snprintf(ret_path, 160, "/v1/town/drafts/%s", service_text(draft, "draft"));
    json_decref(draft);
}

static void administrators_see_whose_drafts_there_are_and_delete_them(void **state)
{
    if (geteuid() != 0)
        skip();
    struct service_fixture *room = *state;
    char what[200], path[160];
    as_member_of(room, "users");
    make_draft(room, path);
    make_draft(room, NULL);
    service_refused(room, "GET /v1/town/draft-owners", NULL, "ERR_NOT_ENTITLED");
    service_refused(room, "DELETE /v1/town/draft-owners/65534", NULL, "ERR_NOT_ENTITLED");
    as_root(room);
    make_draft(room, NULL);
    json_t *all = service_do(room, A, "GET /v1/town/draft-owners", NULL);
    json_t *owner = json_array_get(json_object_get(all, "owners"), 0);
    json_t *stub = json_array_get(json_object_get(owner, "drafts"), 0);
    assert_int_equal(5, json_object_size(stub)); /* and nothing that is in it */
    assert_null(json_object_get(stub, "fields"));
    assert_int_equal(3, json_integer_value(json_object_get(all, "count")));
    assert_int_equal(2, json_array_size(json_object_get(all, "owners")));
    json_decref(all);
    snprintf(what, sizeof what, "DELETE /v1/town/draft-owners/65534/%s", strrchr(path, '/') + 1);
    json_decref(service_do(room, A, what, NULL));
    as_member_of(room, "games");
    json_t *deleted = service_do(room, A, "DELETE /v1/town/draft-owners/65534", NULL);
    assert_int_equal(1, json_integer_value(json_object_get(deleted, "deleted")));
    json_decref(deleted);
    all = service_do(room, A, "GET /v1/town/draft-owners", NULL);
    assert_int_equal(1, json_integer_value(json_object_get(all, "count")));
    json_decref(all);
}

static void no_user_has_more_drafts_than_its_share(void **state)
{
    if (geteuid() != 0)
        skip();
    struct service_fixture *room = *state;
    as_member_of(room, "users");
    for (int i = 0; i < DRAFT_EACH_COUNT_MAX; i++)
        make_draft(room, NULL);
    service_refused(room, "POST /v1/town/drafts", service_a_good_draft(), "ERR_FULL");
    as_root(room);
    make_draft(room, NULL);
}

static int begin_upload(struct service_fixture *room, const char *path)
{
    char head[400];
    int fd = service_dial(room, A);
    int size =
        snprintf(head, sizeof head,
                 "POST %s/attachments?name=a.txt HTTP/1.1\r\nHost: consilium\r\nContent-Type: "
                 "application/octet-stream\r\nContent-Length: 5\r\n\r\nab",
                 path);
    assert_int_equal(size, write(fd, head, (size_t)size));
    return fd;
}

static int attach(struct service_fixture *room, const char *path)
{
    char what[220];
    snprintf(what, sizeof what, "%s/attachments?name=b.txt", path);
    struct service_request request = {
        .method = "POST",
        .path = what,
        .headers = "Host: consilium\r\nContent-Type: application/octet-stream\r\n",
        .body = "words",
        .size = 5};
    char *body;
    int fd = service_dial(room, A);
    int status = service_say(room, fd, &request, &body);
    close(fd);
    return status;
}

static void no_user_has_more_uploads_running_than_its_share(void **state)
{
    if (geteuid() != 0)
        skip();
    struct service_fixture *room = *state;
    char guests[160], ours[160];
    make_draft(room, ours);
    as_member_of(room, "users");
    make_draft(room, guests);
    int fd = begin_upload(room, guests);
    assert_int_equal(503, attach(room, guests));
    room->guest.uid = GUEST_UID - 1; /* a second user: then one place is left */
    char others[160];
    make_draft(room, others);
    int other = begin_upload(room, others);
    room->guest.uid = GUEST_UID - 2;
    make_draft(room, others);
    assert_int_equal(503, attach(room, others));
    as_root(room);
    assert_int_equal(200, attach(room, ours));
    close(fd);
    close(other);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, guests_setup, guests_teardown)
    const struct CMUnitTest tests[] = {
        STORY(administrators_see_whose_drafts_there_are_and_delete_them),
        STORY(no_user_has_more_drafts_than_its_share),
        STORY(no_user_has_more_uploads_running_than_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
