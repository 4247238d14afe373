/* A small writer of PDF, and other programs' view of one: qpdf lays its bytes open, pdftotext
 * extracts its text, pdftoppm draws it. For tests of consilium-pdf, after cmocka.h. */
#ifndef CONSILIUM_TESTS_HARNESS_PDF_FIXTURE_H
#define CONSILIUM_TESTS_HARNESS_PDF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/attachment/attachment_pdf.h"
#include "protocol/base/limits.h"

enum { OBJECT_COUNT_MAX = 32 };

static char program[4096];

/* ---- a small PDF writer ---- */

struct document {
    uint8_t memory[1 << 16];
    struct buffer buffer;
    size_t offsets[OBJECT_COUNT_MAX]; /* 0: not written in this part */
    size_t previous;                  /* of the part before */
    int size;                         /* one more than the highest number */
};

static inline void put(struct document *document, const char *text)
{
    buffer_put(&document->buffer, text, strlen(text));
}

static inline void document_begin(struct document *document)
{
    memset(document, 0, sizeof *document);
    document->buffer = buffer_over(document->memory, sizeof document->memory);
    put(document, "%PDF-1.7\n");
}

static inline void object(struct document *document, int number, const char *body)
{
    char head[32];
    document->offsets[number] = document->buffer.size;
    snprintf(head, sizeof head, "%d 0 obj\n", number);
    put(document, head);
    put(document, body);
    put(document, "\nendobj\n");
}

/* `keys` stand in the stream's dictionary beside its length. */
static inline void stream(struct document *document, int number, const char *keys,
                          struct bytes content)
{
    char head[512];
    document->offsets[number] = document->buffer.size;
    snprintf(head, sizeof head, "%d 0 obj\n<< %s /Length %zu >>\nstream\n", number, keys,
             content.size);
    put(document, head);
    buffer_put(&document->buffer, content.data, content.size);
    put(document, "\nendstream\nendobj\n");
}

static inline void document_end(struct document *document, const char *trailer)
{
    char line[512];
    size_t table = document->buffer.size;
    put(document, "xref\n0 1\n0000000000 65535 f \n");
    for (int i = 1; i < OBJECT_COUNT_MAX; i++) {
        if (document->offsets[i] == 0 && document->previous > 0)
            continue;
        snprintf(line, sizeof line, "%d 1\n%010zu 00000 %c \n", i, document->offsets[i],
                 document->offsets[i] == 0 ? 'f' : 'n');
        put(document, line);
        document->offsets[i] = 0;
        document->size = i >= document->size ? i + 1 : document->size;
    }
    snprintf(line, sizeof line, "trailer\n<< /Size %d /Root 1 0 R %s", document->size, trailer);
    put(document, line);
    if (document->previous > 0) {
        snprintf(line, sizeof line, " /Prev %zu", document->previous);
        put(document, line);
    }
    snprintf(line, sizeof line, " >>\nstartxref\n%zu\n%%%%EOF\n", table);
    put(document, line);
    document->previous = table;
    assert_false(document->buffer.failed);
}

#define TEXT(text) bytes_of_text(text)
#define SHOWN "BT /F1 12 Tf 20 20 Td (what is shown) Tj ET"

/* Objects 1 to 5: catalog, tree, page, content, font. */
static inline void pages(struct document *document, const char *catalog_keys, const char *page_keys)
{
    char body[2048];
    snprintf(body, sizeof body, "<< /Type /Catalog /Pages 2 0 R %s >>", catalog_keys);
    object(document, 1, body);
    object(document, 2, "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 200 200] >>");
    snprintf(body, sizeof body, "<< /Type /Page /Parent 2 0 R /Contents 4 0 R %s >>", page_keys);
    object(document, 3, body);
    stream(document, 4, "", TEXT(SHOWN));
    object(document, 5, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
}

#define FONTS "/Resources << /Font << /F1 5 0 R >> >>"

/* ---- looking at what came out ---- */

struct output {
    char *text; /* with a zero at the end */
    size_t size;
};

static inline void output_free(struct output *output)
{
    free(output->text);
}

/* What `argv` prints; it gets `input` in the file that "FILE" in `argv` stands for. */
static inline struct output output_of(char **argv, struct bytes input, int status_max)
{
    char path[] = "document.XXXXXX";
    int ends[2], status = 0, fd = mkstemp(path);
    struct output output = {.text = malloc(1)};
    assert_true(fd >= 0 && pipe(ends) == 0);
    ssize_t written = write(fd, input.data, input.size);
    assert_int_equal(written, (ssize_t)input.size);
    close(fd);
    for (char **argument = argv; *argument != NULL; argument++)
        if (strcmp(*argument, "FILE") == 0)
            *argument = path;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    for (;;) {
        char part[1 << 14];
        ssize_t got = read(ends[0], part, sizeof part);
        if (got <= 0)
            break;
        output.text = realloc(output.text, output.size + (size_t)got + 1);
        assert_non_null(output.text);
        memcpy(output.text + output.size, part, (size_t)got);
        output.size += (size_t)got;
    }
    output.text[output.size] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    unlink(path);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= status_max);
    return output;
}

#define PROGRAM(...) ((char *[]){__VA_ARGS__, NULL})
#define ARGUMENT(text) ((char[]){text})

static inline struct bytes bytes_of_attachment(const struct attachment *attachment)
{
    return (struct bytes){attachment->data, attachment->size};
}

static inline struct output text_of(struct bytes pdf)
{
    return output_of(PROGRAM(ARGUMENT("pdftotext"), ARGUMENT("FILE"), ARGUMENT("-")), pdf, 0);
}

static inline struct output opened_of(struct bytes pdf)
{
    return output_of(PROGRAM(ARGUMENT("qpdf"), ARGUMENT("--qdf"),
                             ARGUMENT("--stream-data=uncompress"), ARGUMENT("FILE"), ARGUMENT("-")),
                     pdf, 0);
}

/* A picture of 72 dots for each inch, as PPM: "P6\n200 200\n255\n", then red, green, blue. */
static inline struct output picture_of(struct bytes pdf)
{
    return output_of(PROGRAM(ARGUMENT("pdftoppm"), ARGUMENT("-cropbox"), ARGUMENT("-r"),
                             ARGUMENT("72"), ARGUMENT("FILE")),
                     pdf, 0);
}

static inline bool holds(struct output output, const char *text)
{
    bool is_there = memmem(output.text, output.size, text, strlen(text)) != NULL;
    output_free(&output);
    return is_there;
}

static inline bool shows(const struct attachment *attachment, const char *text)
{
    return holds(text_of(bytes_of_attachment(attachment)), text);
}

/* In no square of BLOCK by BLOCK pixels the mean differs by more than MEAN_MAX of 255: smoothing
 * and hints of fonts may differ. */
enum { BLOCK = 8, MEAN_MAX = 24 };

static inline void assert_blocks_same(const uint8_t *a, const uint8_t *b, int width, int height)
{
    for (int top = 0; top + BLOCK <= height; top += BLOCK) {
        for (int left = 0; left + BLOCK <= width; left += BLOCK) {
            int sum = 0;
            for (int i = 0; i < BLOCK * BLOCK * 3; i++) {
                int y = top + i / 3 / BLOCK, x = left + i / 3 % BLOCK;
                sum += a[(y * width + x) * 3 + i % 3] - b[(y * width + x) * 3 + i % 3];
            }
            assert_in_range(abs(sum), 0, MEAN_MAX * BLOCK * BLOCK * 3);
        }
    }
}

static inline void assert_looks_same(struct bytes one, struct bytes other)
{
    struct output a = picture_of(one), b = picture_of(other);
    assert_int_equal(a.size, b.size);
    for (size_t at = 0; at < a.size;) { /* each page */
        int width = 0, height = 0, head = 0;
        assert_int_equal(sscanf(a.text + at, "P6\n%d %d\n255%n", &width, &height, &head), 2);
        assert_memory_equal(a.text + at, b.text + at, (size_t)head + 1);
        at += (size_t)head + 1;
        assert_blocks_same((uint8_t *)a.text + at, (uint8_t *)b.text + at, width, height);
        at += (size_t)width * (size_t)height * 3;
    }
    output_free(&a);
    output_free(&b);
}

static inline void clean(const struct document *document, struct attachment *ret_attachment)
{
    *ret_attachment = (struct attachment){.data = NULL};
    enum attachment_verdict verdict =
        attachment_pdf_clean(buffer_bytes(&document->buffer), program, ret_attachment);
    assert_string_equal(attachment_sentence(verdict), attachment_sentence(ATTACHMENT_TAKEN));
    assert_int_equal(ret_attachment->type, ATTACHMENT_PDF);
    assert_memory_equal(ret_attachment->data, "%PDF-", 5);
}

/* Secret is the word that stands in everything that must not come out. */
static inline void expect(const struct document *document, uint32_t stripped)
{
    struct attachment attachment;
    assert_non_null(memmem(document->memory, document->buffer.size, "Secret", strlen("Secret")));
    clean(document, &attachment);
    assert_true(shows(&attachment, "what is shown"));
    assert_false(shows(&attachment, "Secret"));
    assert_false(holds(opened_of(bytes_of_attachment(&attachment)), "Secret"));
    assert_looks_same(buffer_bytes(&document->buffer), bytes_of_attachment(&attachment));
    assert_int_equal(attachment.stripped, stripped);
    attachment_clear(&attachment);
}

static inline enum attachment_verdict verdict_of(struct bytes content)
{
    struct attachment attachment = {.data = NULL};
    enum attachment_verdict verdict = attachment_pdf_clean(content, program, &attachment);
    if (verdict == ATTACHMENT_TAKEN)
        attachment_clear(&attachment);
    return verdict;
}

static inline void expect_finding(const struct attachment *attachment, const char *text)
{
    assert_non_null(attachment->findings);
    if (strstr(attachment->findings, text) == NULL)
        fail_msg("%s is missing in: %s", text, attachment->findings);
}

/* For the group: where the build put consilium-pdf. */
static inline int find_program(void **state)
{
    (void)state;
    char own[2048];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    if (length <= 0)
        return -1;
    own[length] = 0;
    char *slash = strrchr(own, '/');
    if (slash == NULL)
        return -1;
    *slash = 0;
    snprintf(program, sizeof program, "%s/../node/consilium-pdf", own);
    return access(program, X_OK);
}

#endif
