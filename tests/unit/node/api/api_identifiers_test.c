/* What may tell who the patient is stands in the preview, and leaves only with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/engine/engine.h"
#include "tests/harness/service_fixture.h"

/* A draft with this description; its path. */
static void draft_with(struct service_fixture *room, const char *description, char path[static 160])
{
    json_t *form = service_a_good_draft();
    json_object_set_new(form, "description", json_string(description));
    json_t *made = service_do(room, A, "POST /v1/town/drafts", form);
    snprintf(path, 160, "/v1/town/drafts/%s", service_text(made, "draft"));
    json_decref(made);
}

static json_t *preview_of(struct service_fixture *room, const char *path)
{
    char get[200];
    snprintf(get, sizeof get, "GET %s/preview", path);
    return service_do(room, A, get, NULL);
}

static json_t *sending_because(const json_t *preview, const char *reason)
{
    json_t *form = service_sending(service_text(preview, "preview"), "Anna Alt");
    if (reason != NULL)
        json_object_set_new(form, "keep_reason", json_string(reason));
    return form;
}

/* DEID-1 */
static void what_may_identify_is_shown_and_leaves_only_with_a_reason(void **state)
{
    struct service_fixture *room = *state;
    char path[160], send[200], check[200];
    draft_with(room, "By the Rodnan score it is mild.\nMRN 4471190 was seen on 12.03.2021.", path);
    snprintf(send, sizeof send, "POST %s/send", path);
    snprintf(check, sizeof check, "POST %s/send?check=true", path);
    json_t *preview = preview_of(room, path), *list = json_object_get(preview, "identifiers");
    assert_int_equal(3, json_array_size(list));
    const json_t *date = json_array_get(list, 2);
    assert_string_equal("date", service_text(date, "kind"));
    assert_string_equal("description", service_text(date, "field"));
    assert_string_equal("12.03.2021", service_text(date, "text"));
    assert_string_equal("MRN 4471190 was seen on ", service_text(date, "before"));
    assert_string_equal(".", service_text(date, "after"));
    assert_non_null(strstr(service_text(preview, "text"), "seen on [12.03.2021]."));
    service_refused(room, check, sending_because(preview, NULL), "ERR_STATE");
    service_refused(room, send, sending_because(preview, NULL), "ERR_STATE");
    service_refused(room, send, sending_because(preview, ""), "ERR_STATE");
    char long_reason[200];
    memset(long_reason, 'x', sizeof long_reason - 1);
    long_reason[sizeof long_reason - 1] = '\0';
    service_refused(room, send, sending_because(preview, long_reason), "ERR_TOO_LARGE");
    json_decref(service_do(room, A, send, sending_because(preview, "a test, no patient")));
    json_t *log = service_do(room, A, "GET /v1/town/audit", NULL);
    const json_t *entries = json_object_get(log, "entries");
    size_t index;
    json_t *entry;
    bool is_there = false;
    json_array_foreach(entries, index, entry)
    {
        if (strcmp(service_text(entry, "what"), "confirmed") == 0) {
            is_there = true;
            assert_string_equal("kept: 1 person, 1 date, 1 number; a test, no patient",
                                service_text(entry, "note"));
        }
    }
    assert_true(is_there);
    json_decref(log);
    json_decref(preview);
}

static void what_tells_nothing_needs_no_reason(void **state)
{
    struct service_fixture *room = *state;
    char path[160], send[200];
    draft_with(room, "A woman in her forties with Crohn disease.", path);
    snprintf(send, sizeof send, "POST %s/send", path);
    json_t *preview = preview_of(room, path);
    assert_int_equal(0, json_array_size(json_object_get(preview, "identifiers")));
    assert_true(json_is_false(json_object_get(preview, "has_more_identifiers")));
    assert_null(strstr(service_text(preview, "text"), "LOOK: this may tell"));
    json_decref(service_do(room, A, send, sending_because(preview, NULL)));
    json_decref(preview);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_may_identify_is_shown_and_leaves_only_with_a_reason,
                                        service_setup, service_teardown),
        cmocka_unit_test_setup_teardown(what_tells_nothing_needs_no_reason, service_setup,
                                        service_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
