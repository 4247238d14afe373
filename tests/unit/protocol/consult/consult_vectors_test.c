/* tests/vectors/consult.txt: each content reads and is written back to its very bytes, and ids,
 * roots and signatures come out as they stand there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/contents/case_file.h"
#include "protocol/contents/case_record.h"
#include "protocol/contents/content_registry.h"
#include "protocol/record/certificate.h"
#include "protocol/record/statement.h"

static char page[65536];

/* The bytes of the line `name=`; they live until the next call with another slot. */
static struct bytes vector(const char *name, size_t slot)
{
    static uint8_t memory[8][8192];
    char start[64], text[16384];
    snprintf(start, sizeof start, "\n%s=", name);
    const char *line = strstr(page, start);
    if (line == NULL)
        fail_msg("no vector %s", name);
    line += strlen(start);
    size_t digits = strspn(line, "0123456789abcdef");
    assert_true(digits / 2 <= sizeof memory[0] && digits < sizeof text);
    memcpy(text, line, digits);
    text[digits] = 0;
    assert_int_equal(ids_from_hex(text, memory[slot], digits / 2), OK);
    return (struct bytes){memory[slot], digits / 2};
}

/* Copies a vector into an id or key. */
static void copy(const char *name, uint8_t *out, size_t size)
{
    struct bytes bytes = vector(name, 7);
    assert_int_equal(bytes.size, size);
    memcpy(out, bytes.data, size);
}
#define COPY(name, id) copy(name, (id).bytes, sizeof(id).bytes)

static int read_page(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/vectors/consult.txt", "r");
    if (file == NULL)
        return -1;
    size_t size = fread(page, 1, sizeof page - 1, file);
    fclose(file);
    return size < sizeof page - 1 ? 0 : -1;
}

static void each_content_reads_and_is_written_to_its_very_bytes(void **state)
{
    (void)state;
    static union content_registry_value value;
    static uint8_t memory[8192];
    size_t count;
    const struct kind_rule *rules = kind_rules(&count);
    for (size_t i = 0; i < count; i++) {
        uint16_t kind = (uint16_t)rules[i].kind;
        if (content_registry_table(kind) == NULL)
            continue;
        struct bytes content = vector(rules[i].name, 0);
        struct buffer out = buffer_over(memory, sizeof memory);
        err failure = content_registry_read(kind, content, &value);
        if (failure != OK)
            fail_msg("%s: %s", rules[i].name, err_name(failure));
        assert_int_equal(content_write(content_registry_table(kind), &value, &out), OK);
        assert_true(bytes_equal(buffer_bytes(&out), content));
    }
}

static void ids_and_roots_come_out_as_they_stand_there(void **state)
{
    (void)state;
    struct federation_id federation;
    struct node_id requester;
    struct case_record_opening opening;
    struct case_id case_id;
    struct cert_id cert_id;
    struct hash root;
    struct case_file case_file;
    struct certificate certificate;
    COPY("federation", federation);
    COPY("requester", requester);
    COPY("opening", opening);
    COPY("case_id", case_id);
    COPY("cert_id", cert_id);
    COPY("manifest_root", root);
    assert_true(ID_EQUAL(case_id, case_record_case_id(&federation, &requester, &opening)));
    assert_int_equal(case_file_read(vector("MANIFEST", 0), &case_file), OK);
    assert_true(ID_EQUAL(root, case_file_root(&case_file)));
    assert_int_equal(certificate_read(vector("CERTIFICATE", 1), &certificate), OK);
    assert_true(ID_EQUAL(cert_id, certificate.cert_id));
}

static void signatures_fit(void **state)
{
    (void)state;
    struct statement statement;
    struct statement_place place = {.scope = {.kind = SCOPE_CASE}};
    struct certificate certificate;
    struct sign_key institution, clinician;
    COPY("federation", place.federation);
    copy("case_id", place.scope.id, HASH_SIZE);
    COPY("opinion_writer", place.node);
    COPY("institution_key", institution);
    COPY("clinician_key", clinician);
    assert_int_equal(certificate_read(vector("CERTIFICATE", 0), &certificate), OK);
    assert_int_equal(certificate_check(&certificate, &place.federation, &place.node, &institution),
                     OK);
    assert_int_equal(statement_read(vector("opinion_statement", 1), &statement), OK);
    assert_true(bytes_equal(statement.content, vector("OPINION", 2)));
    assert_int_equal(statement_verify(&statement, &place, &clinician), OK);
    struct bytes padded = vector("announcement_statement", 3);
    assert_int_equal(padded.size, 512);
    assert_int_equal(statement_read(padded, &statement), OK);
    assert_true(bytes_equal(statement.content, vector("ANNOUNCEMENT", 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_content_reads_and_is_written_to_its_very_bytes),
        cmocka_unit_test(ids_and_roots_come_out_as_they_stand_there),
        cmocka_unit_test(signatures_fit),
    };
    return cmocka_run_group_tests(tests, read_page, NULL);
}
