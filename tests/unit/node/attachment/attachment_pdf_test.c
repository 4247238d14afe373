/* Of a PDF its pages stay; whoever wrote it, and what was in it before, does not.
 *
 * The documents are written here object by object, uncompressed, so that each secret can be looked
 * for in the bytes that come out (which consilium-pdf leaves uncompressed too). */
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

static void put(struct document *document, const char *text)
{
    buffer_put(&document->buffer, text, strlen(text));
}

static void document_begin(struct document *document)
{
    memset(document, 0, sizeof *document);
    document->buffer = buffer_over(document->memory, sizeof document->memory);
    put(document, "%PDF-1.7\n");
}

static void object(struct document *document, int number, const char *body)
{
    char head[32];
    document->offsets[number] = document->buffer.size;
    snprintf(head, sizeof head, "%d 0 obj\n", number);
    put(document, head);
    put(document, body);
    put(document, "\nendobj\n");
}

/* `keys` stand in the stream's dictionary beside its length. */
static void stream(struct document *document, int number, const char *keys, struct bytes content)
{
    char head[512];
    document->offsets[number] = document->buffer.size;
    snprintf(head, sizeof head, "%d 0 obj\n<< %s /Length %zu >>\nstream\n", number, keys,
             content.size);
    put(document, head);
    buffer_put(&document->buffer, content.data, content.size);
    put(document, "\nendstream\nendobj\n");
}

static void document_end(struct document *document, const char *trailer)
{
    char line[512];
    size_t table = document->buffer.size;
    put(document, "xref\n0 1\n0000000000 65535 f \n");
    for (int i = 1; i < OBJECT_COUNT_MAX; i++) {
        if (document->offsets[i] == 0)
            continue;
        snprintf(line, sizeof line, "%d 1\n%010zu 00000 n \n", i, document->offsets[i]);
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
static void pages(struct document *document, const char *catalog_keys, const char *page_keys)
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

static bool holds(const struct attachment *attachment, const char *text)
{
    return memmem(attachment->data, attachment->size, text, strlen(text)) != NULL;
}

static void clean(const struct document *document, struct attachment *ret_attachment)
{
    enum attachment_verdict verdict =
        attachment_pdf_clean(buffer_bytes(&document->buffer), program, ret_attachment);
    assert_string_equal(attachment_sentence(verdict), attachment_sentence(ATTACHMENT_TAKEN));
    assert_int_equal(ret_attachment->type, ATTACHMENT_PDF);
    assert_true(holds(ret_attachment, "/Contents"));
}

/* Secret is the word that stands in everything that must not come out. */
static void expect(const struct document *document, uint32_t stripped)
{
    struct attachment attachment;
    assert_non_null(memmem(document->memory, document->buffer.size, "Secret", strlen("Secret")));
    clean(document, &attachment);
    assert_true(holds(&attachment, "what is shown"));
    assert_false(holds(&attachment, "Secret"));
    assert_int_equal(attachment.stripped, stripped);
    attachment_clear(&attachment);
}

static enum attachment_verdict verdict_of(struct bytes content)
{
    struct attachment attachment;
    enum attachment_verdict verdict = attachment_pdf_clean(content, program, &attachment);
    if (verdict == ATTACHMENT_TAKEN)
        attachment_clear(&attachment);
    return verdict;
}

/* ---- the tests ---- */

static void pages_stay_as_they_are(void **state)
{
    (void)state;
    struct document document;
    struct attachment first, second;
    document_begin(&document);
    pages(&document, "/Lang (de-AT)", FONTS " /Rotate 90 /CropBox [0 0 100 100]");
    document_end(&document, "");
    clean(&document, &first);
    assert_true(holds(&first, SHOWN));
    assert_true(holds(&first, "[ 0 0 200 200 ]"));
    assert_true(holds(&first, "/CropBox [ 0 0 100 100 ]"));
    assert_true(holds(&first, "/Rotate 90"));
    assert_true(holds(&first, "/BaseFont /Helvetica"));
    assert_true(holds(&first, "(de-AT)"));
    assert_int_equal(first.stripped, 0);
    /* neither clock nor chance is in it */
    clean(&document, &second);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    attachment_clear(&first);
    attachment_clear(&second);
}

static void properties_and_ids_are_gone(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "", FONTS);
    object(&document, 6,
           "<< /Author (Dr. Secret) /Title (Secret letter) /CreationDate (Secret) >>");
    document_end(&document, "/Info 6 0 R /ID [(Secret) (Secret)] /SecretKey (Secret)");
    expect(&document, ATTACHMENT_STRIPPED_INFO);
}

static void xmp_is_gone_wherever_it_hangs(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "/Metadata 6 0 R",
          "/Metadata 6 0 R /Resources << /Font << /F1 5 0 R >> /XObject << /X 7 0 R >> >>");
    stream(&document, 6, "/Type /Metadata /Subtype /XML",
           TEXT("<dc:creator>Dr. Secret</dc:creator>"));
    stream(&document, 7, "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Metadata 6 0 R",
           TEXT("0 0 m"));
    document_end(&document, "");
    expect(&document, ATTACHMENT_STRIPPED_XMP);
}

static void earlier_states_are_gone(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "", FONTS);
    stream(&document, 4, "", TEXT("BT (Secret: the first draft) Tj ET"));
    document_end(&document, "");
    stream(&document, 4, "", TEXT(SHOWN));
    document_end(&document, "");
    expect(&document, ATTACHMENT_STRIPPED_STATES);
}

static void objects_that_no_page_reaches_are_gone(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "", FONTS);
    object(&document, 6, "(Secret)");
    put(&document, "% Secret\n");
    document_end(&document, "");
    expect(&document, 0);
}

static void files_inside_are_gone(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "/Names << /EmbeddedFiles << /Names [(Secret.zip) 6 0 R] >> >> /AF [6 0 R]",
          FONTS);
    object(&document, 6,
           "<< /Type /Filespec /F (Secret.zip) /UF (Secret.zip) /EF << /F 7 0 R >> >>");
    stream(&document, 7, "/Type /EmbeddedFile", TEXT("Secret"));
    document_end(&document, "");
    expect(&document, ATTACHMENT_STRIPPED_FILES);
}

static void scripts_and_actions_are_gone(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document,
          "/OpenAction 6 0 R /AA << /WC 6 0 R >> /Names << /JavaScript << /Names [(a) 6 0 R] >> >>",
          FONTS " /AA << /O 6 0 R >>");
    object(&document, 6, "<< /S /JavaScript /JS (app.alert\\('Secret'\\)) >>");
    document_end(&document, "");
    expect(&document, ATTACHMENT_STRIPPED_ACTIONS);
}

static void of_notes_and_forms_stays_what_shows(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment;
    document_begin(&document);
    pages(&document,
          "/AcroForm << /Fields [8 0 R] /DA (/F1 9 Tf 0 g) /DR << /Font << /F1 5 0 R >> >> >>",
          FONTS " /Annots [6 0 R 8 0 R 10 0 R]");
    object(&document, 6,
           "<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /T (Dr. Secret) /Contents (Secret)"
           " /M (Secret) /NM (Secret) /F 2 >>");
    object(&document, 8,
           "<< /Type /Annot /Subtype /Widget /FT /Tx /T (SecretField) /V (Secret) /F 4"
           " /Rect [50 50 150 70] /AP << /N 9 0 R >> >>");
    stream(&document, 9, "/Type /XObject /Subtype /Form /BBox [0 0 100 20]",
           TEXT("BT (filled in by hand) Tj ET"));
    object(&document, 10,
           "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9]"
           " /A << /S /URI /URI (http://Secret.example/) >> >>");
    document_end(&document, "");
    clean(&document, &attachment);
    assert_true(holds(&attachment, "filled in by hand"));
    attachment_clear(&attachment);
    expect(&document, ATTACHMENT_STRIPPED_NOTES);
}

static void links_are_gone(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "", FONTS " /Annots [6 0 R]");
    object(&document, 6,
           "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9]"
           " /A << /S /URI /URI (http://Secret.example/) >> >>");
    document_end(&document, "");
    expect(&document, ATTACHMENT_STRIPPED_NOTES);
}

static void bookmarks_layers_and_structure_are_gone(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment;
    document_begin(&document);
    pages(&document,
          "/Outlines 6 0 R /StructTreeRoot 8 0 R /PageLabels << /Nums [0 << /P (Secret) >>] >>"
          " /OCProperties << /OCGs [9 0 R] /D << /OFF [9 0 R] /Name (Secret) >> >>",
          "/Resources << /Font << /F1 5 0 R >> /Properties << /L 9 0 R /M << /Who (Secret) >> >>"
          " /XObject << /X 10 0 R >> >> /StructParents 0");
    object(&document, 6, "<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>");
    object(&document, 7, "<< /Title (Secret) /Parent 6 0 R /Dest [3 0 R /Fit] >>");
    object(&document, 8, "<< /Type /StructTreeRoot /K << /S /P /Alt (Secret) /Pg 3 0 R >> >>");
    object(&document, 9, "<< /Type /OCG /Name (Secret layer) >>");
    stream(&document, 10, "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /OC 9 0 R",
           TEXT("0 0 m % hidden until now"));
    document_end(&document, "");
    clean(&document, &attachment);
    assert_true(holds(&attachment, "hidden until now"));
    assert_false(holds(&attachment, "/OC "));
    attachment_clear(&attachment);
    expect(&document, ATTACHMENT_STRIPPED_OUTLINE);
}

static void data_of_programs_is_gone_from_pages_and_their_parts(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "",
          "/PieceInfo << /Word << /Private (Secret) >> >> /Thumb 6 0 R /Secret (Secret)"
          " /Resources << /Font << /F1 5 0 R >> /XObject << /X 7 0 R >> >>");
    stream(&document, 6, "/Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8",
           TEXT("Secret"));
    stream(&document, 7,
           "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /LastModified (Secret)"
           " /PieceInfo << /Word << /Private (Secret) >> >>"
           " /F (Secret.dat) /FFilter /ASCIIHexDecode",
           TEXT("0 0 m"));
    document_end(&document, "");
    expect(&document,
           ATTACHMENT_STRIPPED_OTHER | ATTACHMENT_STRIPPED_THUMBNAIL | ATTACHMENT_STRIPPED_TIME);
}

/* A resource may be called like a key that draws nothing. */
static void names_that_the_document_chose_are_kept(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment;
    document_begin(&document);
    pages(&document, "", "/Resources << /Font << /AA 5 0 R >> /XObject << /Metadata 6 0 R >> >>");
    stream(&document, 6, "/Type /XObject /Subtype /Form /BBox [0 0 9 9]", TEXT("1 1 m % seen"));
    document_end(&document, "");
    clean(&document, &attachment);
    assert_true(holds(&attachment, "% seen"));
    assert_true(holds(&attachment, "/BaseFont /Helvetica"));
    assert_int_equal(attachment.stripped, 0);
    attachment_clear(&attachment);
}

static void images_inside_are_cleaned(void **state)
{
    (void)state;
    static const char jpeg[] = "\xff\xd8\xff\xfe\0\10Secret\xff\xc0\0\13\10\0\2\0\2\1\1\21\0"
                               "\xff\xda\0\10\1\1\0\0\77\0pixels\xff\xd9";
    static const char jp2[] = "\0\0\0\14jP  \r\n\x87\n\0\0\0\16xml Secret\0\0\0\0jp2cpixels";
    static const char hex[] =
        "FFD8FFFE0008536563726574FFC0000B080002000201011100FFDA0008010100003F00706978656C73FFD9>";
    const struct {
        const char *keys;
        struct bytes image;
    } rows[] = {
        {"/Filter /DCTDecode", {(const uint8_t *)jpeg, sizeof jpeg - 1}},
        {"/Filter [/DCTDecode] /DecodeParms [null]", {(const uint8_t *)jpeg, sizeof jpeg - 1}},
        {"/Filter /DCTDecode /DecodeParms << /ColorTransform 0 >>",
         {(const uint8_t *)jpeg, sizeof jpeg - 1 - 2}}, /* without its end */
        {"/Filter /JPXDecode", {(const uint8_t *)jp2, sizeof jp2 - 1}},
        {"/Metadata (Secret) /Filter [/ASCIIHexDecode /DCTDecode] /DecodeParms [null null]",
         {(const uint8_t *)hex, sizeof hex - 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char keys[256];
        struct document document;
        struct attachment attachment;
        document_begin(&document);
        pages(&document, "", "/Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >>");
        snprintf(keys, sizeof keys,
                 "/Type /XObject /Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8"
                 " /ColorSpace /DeviceGray %s",
                 rows[i].keys);
        stream(&document, 6, keys, rows[i].image);
        document_end(&document, "");
        clean(&document, &attachment);
        assert_true(holds(&attachment, "pixels"));
        assert_true((attachment.stripped & ATTACHMENT_STRIPPED_IMAGES) != 0);
        attachment_clear(&attachment);
        expect(&document, ATTACHMENT_STRIPPED_IMAGES | (i == 4 ? ATTACHMENT_STRIPPED_XMP : 0u));
    }
}

/* Runs qpdf, which must exit 0. */
static void qpdf(char *const *argv)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Encrypts the document with the user's password `password`; cleans what came out. */
static enum attachment_verdict clean_encrypted(const struct document *document, char *password,
                                               struct attachment *ret_attachment)
{
    uint8_t encrypted[1 << 14];
    char path[] = "document.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    ssize_t written = write(fd, document->memory, document->buffer.size);
    assert_int_equal(written, (ssize_t)document->buffer.size);
    close(fd);
    qpdf((char *[]){(char[]){"qpdf"}, (char[]){"--stream-data=preserve"}, (char[]){"--encrypt"},
                    password, (char[]){"owner"}, (char[]){"256"}, (char[]){"--"}, path,
                    (char[]){"--replace-input"}, NULL});
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(encrypted, 1, sizeof encrypted, file);
    fclose(file);
    unlink(path);
    return attachment_pdf_clean((struct bytes){encrypted, size}, program, ret_attachment);
}

static void what_needs_a_password_is_refused(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment;
    document_begin(&document);
    pages(&document, "", FONTS);
    document_end(&document, "");
    assert_int_equal(clean_encrypted(&document, (char[]){"user"}, &attachment),
                     ATTACHMENT_PROTECTED);
    assert_int_equal(clean_encrypted(&document, (char[]){""}, &attachment), ATTACHMENT_TAKEN);
    assert_true(holds(&attachment, "what is shown"));
    assert_false(holds(&attachment, "/Encrypt"));
    assert_int_equal(attachment.stripped, ATTACHMENT_STRIPPED_PROTECTION);
    attachment_clear(&attachment);
}

static void what_is_no_document_is_damaged(void **state)
{
    (void)state;
    struct document document;
    assert_int_equal(verdict_of(TEXT("%PDF-1.7\n")), ATTACHMENT_DAMAGED);
    assert_int_equal(verdict_of(TEXT("%PDF-1.7\nstartxref\n9\n%%EOF\n")), ATTACHMENT_DAMAGED);
    document_begin(&document);
    object(&document, 1, "<< /Type /Catalog /Pages 2 0 R >>");
    object(&document, 2, "<< /Type /Pages /Kids [] /Count 0 >>");
    document_end(&document, "");
    assert_int_equal(verdict_of(buffer_bytes(&document.buffer)), ATTACHMENT_DAMAGED);
    /* a page tree that bites its own tail */
    document_begin(&document);
    object(&document, 1, "<< /Type /Catalog /Pages 2 0 R >>");
    object(&document, 2, "<< /Type /Pages /Kids [2 0 R] /Count 1 >>");
    document_end(&document, "");
    assert_int_equal(verdict_of(buffer_bytes(&document.buffer)), ATTACHMENT_DAMAGED);
}

/* 60 MiB of brackets must end the child, not the caller. */
static void what_would_take_all_memory_ends_the_child_alone(void **state)
{
    (void)state;
    size_t size = (size_t)60 * 1024 * 1024;
    uint8_t *content = malloc(size);
    assert_non_null(content);
    memset(content, '[', size);
    memcpy(content, "%PDF-1.7\n1 0 obj\n", 17);
    enum attachment_verdict verdict = verdict_of((struct bytes){content, size});
    assert_true(verdict == ATTACHMENT_TOO_DEAR || verdict == ATTACHMENT_DAMAGED);
    free(content);
}

static void a_missing_program_is_said_to_be_missing(void **state)
{
    (void)state;
    struct attachment attachment;
    assert_int_equal(attachment_pdf_clean(TEXT("%PDF-1.7"), "/nonexistent", &attachment),
                     ATTACHMENT_NO_CLEANER);
    char path[4096];
    assert_int_equal(attachment_pdf_find(path, sizeof path), ERR_NOT_FOUND);
}

static int find_program(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_stay_as_they_are),
        cmocka_unit_test(properties_and_ids_are_gone),
        cmocka_unit_test(xmp_is_gone_wherever_it_hangs),
        cmocka_unit_test(earlier_states_are_gone),
        cmocka_unit_test(objects_that_no_page_reaches_are_gone),
        cmocka_unit_test(files_inside_are_gone),
        cmocka_unit_test(scripts_and_actions_are_gone),
        cmocka_unit_test(of_notes_and_forms_stays_what_shows),
        cmocka_unit_test(links_are_gone),
        cmocka_unit_test(bookmarks_layers_and_structure_are_gone),
        cmocka_unit_test(data_of_programs_is_gone_from_pages_and_their_parts),
        cmocka_unit_test(names_that_the_document_chose_are_kept),
        cmocka_unit_test(images_inside_are_cleaned),
        cmocka_unit_test(what_needs_a_password_is_refused),
        cmocka_unit_test(what_is_no_document_is_damaged),
        cmocka_unit_test(what_would_take_all_memory_ends_the_child_alone),
        cmocka_unit_test(a_missing_program_is_said_to_be_missing),
    };
    return cmocka_run_group_tests(tests, find_program, NULL);
}
