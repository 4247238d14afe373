/* Of a PDF what its pages show is drawn again; whoever wrote it, and what was in it before, does
 * not leave. The documents are written here object by object. */
#include "tests/harness/pdf_fixture.h"

/* ---- the tests ---- */

static void pages_look_as_they_did(void **state)
{
    (void)state;
    struct document document;
    struct attachment first, second;
    document_begin(&document);
    pages(&document, "/Lang (de-AT)", FONTS " /Rotate 90 /CropBox [0 0 150 100]");
    document_end(&document, "");
    clean(&document, &first);
    clean(&document, &second);
    assert_int_equal(first.size, second.size); /* neither clock nor chance is in it */
    assert_memory_equal(first.data, second.data, first.size);
    assert_true(shows(&first, "what is shown"));
    assert_looks_same(buffer_bytes(&document.buffer), bytes_of_attachment(&first));
    assert_int_equal(first.stripped, 0);
    assert_null(first.findings);
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
          FONTS " /Annots [6 0 R 8 0 R 10 0 R 11 0 R]");
    object(&document, 6,
           "<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /T (Dr. Secret) /Contents (Secret)"
           " /M (Secret) /NM (Secret) /F 2 >>");
    object(&document, 8,
           "<< /Type /Annot /Subtype /Widget /FT /Tx /T (SecretField) /V (Secret) /F 4"
           " /Rect [50 50 150 70] /AP << /N 9 0 R >> >>");
    stream(&document, 9,
           "/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << /Font"
           " << /F1 5 0 R >> >>",
           TEXT("BT /F1 9 Tf 2 2 Td (filled in by hand) Tj ET"));
    object(&document, 10,
           "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9]"
           " /A << /S /URI /URI (http://Secret.example/) >> >>");
    /* printed, but not on any screen: who prepared the letter never saw it */
    object(&document, 11,
           "<< /Type /Annot /Subtype /FreeText /Rect [50 100 150 120] /F 36 /Contents (Secret)"
           " /DA (/F1 9 Tf 0 g) >>");
    document_end(&document, "");
    clean(&document, &attachment);
    assert_true(shows(&attachment, "filled in by hand"));
    attachment_clear(&attachment);
    expect(&document, ATTACHMENT_STRIPPED_NOTES);
}

static void a_layer_shows_as_it_is_set(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment;
    document_begin(&document);
    pages(&document,
          "/Outlines 6 0 R /StructTreeRoot 8 0 R /PageLabels << /Nums [0 << /P (Secret) >>] >>"
          " /OCProperties << /OCGs [9 0 R 11 0 R] /D << /OFF [9 0 R] /Name (Secret) >> >>",
          "/Resources << /Font << /F1 5 0 R >> /Properties << /L 9 0 R /M 11 0 R >> >>");
    stream(&document, 4, "",
           TEXT(SHOWN " /OC /L BDC BT /F1 9 Tf 20 90 Td (Secret) Tj ET EMC"
                      " /OC /M BDC BT /F1 9 Tf 20 60 Td (switched on) Tj ET EMC"));
    object(&document, 6, "<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>");
    object(&document, 7, "<< /Title (Secret) /Parent 6 0 R /Dest [3 0 R /Fit] >>");
    object(&document, 8, "<< /Type /StructTreeRoot /K << /S /P /Alt (Secret) /Pg 3 0 R >> >>");
    object(&document, 9, "<< /Type /OCG /Name (Secret layer) >>");
    object(&document, 11, "<< /Type /OCG /Name (Secret too) >>");
    document_end(&document, "");
    clean(&document, &attachment);
    assert_true(shows(&attachment, "switched on"));
    attachment_clear(&attachment);
    expect(&document, ATTACHMENT_STRIPPED_OUTLINE);
}

/* A drawing's origin (PTEX), data of programs, text that is told in place of what shows, comments
 * in the content, and a picture of another page. */
static void data_inside_pages_is_gone(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "",
          "/PieceInfo << /Word << /Private (Secret) >> >> /Thumb 6 0 R /Secret (Secret)"
          " /Resources << /Font << /F1 5 0 R >> /XObject << /X 7 0 R /Y 8 0 R >> >>");
    stream(&document, 4, "",
           TEXT(SHOWN " /X Do % Secret\n/Span << /ActualText (Secret) /Alt (Secret) >> BDC"
                      " BT /F1 9 Tf 20 60 Td (*) Tj ET EMC"));
    stream(&document, 6, "/Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8",
           TEXT("Secret"));
    stream(&document, 7,
           "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /PTEX.FileName (/home/Secret.pdf)"
           " /PTEX.InfoDict << /Author (Secret) >> /LastModified (Secret)",
           TEXT("0 0 5 5 re f"));
    stream(&document, 8,
           "/Type /XObject /Subtype /Image /Width 3 /Height 2 /ColorSpace /DeviceGray"
           " /BitsPerComponent 8",
           TEXT("Secret"));
    document_end(&document, "");
    expect(&document, ATTACHMENT_STRIPPED_OTHER);
}

/* ---- forms ---- */

#define FORM_KEYS                                                                                  \
    "/Fields [8 0 R] /DA (/Helv 12 Tf 0 g) /DR << /Font << /Helv << /Type /Font /Subtype /Type1"   \
    " /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> >> >>"

/* Object 8 is a field with these keys. Looks: 9 says 7.5, 10 is black, 11 is empty. */
static void form(struct document *document, const char *form_keys, const char *field_keys)
{
    char keys[1024], body[1024];
    snprintf(keys, sizeof keys, "/AcroForm << " FORM_KEYS " %s >>", form_keys);
    document_begin(document);
    pages(document, keys, FONTS " /Annots [8 0 R]");
    snprintf(body, sizeof body,
             "<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R /T (dose) /DA (/Helv 12 Tf 0 g) %s >>",
             field_keys);
    object(document, 8, body);
    stream(document, 9,
           "/Type /XObject /Subtype /Form /BBox [0 0 170 20] /Resources << /Font"
           " << /Helv 5 0 R >> >>",
           TEXT("BT /Helv 12 Tf 2 5 Td (dose 7.5 mg) Tj ET"));
    stream(document, 10, "/Type /XObject /Subtype /Form /BBox [0 0 20 20]", TEXT("0 0 20 20 re f"));
    stream(document, 11, "/Type /XObject /Subtype /Form /BBox [0 0 20 20]", TEXT("0 0 m"));
    document_end(document, "");
}

#define LINE "/FT /Tx /Rect [20 100 190 120] "

static void a_field_looks_like_its_value(void **state)
{
    (void)state;
    static const struct {
        const char *form, *field, *shown;
    } rows[] = {
        {"/NeedAppearances true", LINE "/V (dose 75 mg) /AP << /N 9 0 R >>", "dose 75 mg"},
        {"/NeedAppearances true", LINE "/V (dose 75 mg)", "dose 75 mg"},
        {"", LINE "/V (dose 75 mg)", "dose 75 mg"},
        /* greater or equal: not in the encoding of the form's font */
        {"/NeedAppearances true", LINE "/V <FEFF00480062002022650020003700200067>",
         "Hb \xe2\x89\xa5 7 g"},
        /* a viewer that is not asked to draw shows what is there */
        {"", LINE "/V (dose 75 mg) /AP << /N 9 0 R >>", "dose 7.5 mg"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct document document;
        struct attachment attachment;
        form(&document, rows[i].form, rows[i].field);
        clean(&document, &attachment);
        assert_true(shows(&attachment, rows[i].shown));
        assert_true(shows(&attachment, "what is shown"));
        attachment_clear(&attachment);
    }
}

static void a_value_that_does_not_show_in_full_is_refused(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment = {.data = NULL};
    form(&document, "/NeedAppearances true",
         LINE "/V (thirty milligrams of something with a very long name, twice each day)");
    assert_int_equal(attachment_pdf_clean(buffer_bytes(&document.buffer), program, &attachment),
                     ATTACHMENT_FIELD);
    assert_int_equal(attachment.page, 1);
}

/* The pixel in the middle of the box that the field is. */
static bool is_box_black(const struct document *document)
{
    struct attachment attachment;
    clean(document, &attachment);
    struct output picture = picture_of(bytes_of_attachment(&attachment));
    size_t head = picture.size - (size_t)200 * 200 * 3;
    bool is_black = (uint8_t)picture.text[head + (size_t)((200 - 110) * 200 + 30) * 3] < 64;
    output_free(&picture);
    attachment_clear(&attachment);
    return is_black;
}

#define BOX "/FT /Btn /Rect [20 100 40 120] /AP << /N << /Off 11 0 R /Yes 10 0 R >> >> "

static void a_box_is_ticked_by_its_value(void **state)
{
    (void)state;
    struct document document;
    form(&document, "/NeedAppearances true", BOX "/V /Yes /AS /Off");
    assert_true(is_box_black(&document));
    form(&document, "/NeedAppearances true", BOX "/V /Off /AS /Yes");
    assert_false(is_box_black(&document));
    form(&document, "", BOX "/V /Yes /AS /Off");
    assert_false(is_box_black(&document));
    form(&document, "", BOX "/V /Yes /AS /Yes");
    assert_true(is_box_black(&document));
}

static void a_note_without_a_picture_is_drawn(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment;
    document_begin(&document);
    pages(&document, "", FONTS " /Annots [6 0 R]");
    object(&document, 6,
           "<< /Type /Annot /Subtype /FreeText /Rect [20 100 190 130] /F 4"
           " /Contents (Allergy: penicillin) /DA (/Helv 12 Tf 0 g) >>");
    document_end(&document, "");
    clean(&document, &attachment);
    assert_true(shows(&attachment, "Allergy: penicillin"));
    attachment_clear(&attachment);
}

static void a_form_for_one_program_alone_is_refused(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "/NeedsRendering true /AcroForm << /Fields [] /XFA 6 0 R >>", FONTS);
    stream(&document, 6, "", TEXT("<xdp/>"));
    document_end(&document, "");
    assert_int_equal(verdict_of(buffer_bytes(&document.buffer)), ATTACHMENT_DYNAMIC);
}

/* ---- text that does not show ---- */

static void text_that_does_not_show_is_left_out_and_told(void **state)
{
    (void)state;
    static const char *const hidden[] = {
        "BT /F1 12 Tf 500 60 Td (Secret) Tj ET",                 /* outside */
        "BT /F1 12 Tf 20 60 Td (Secret) Tj ET 10 50 90 30 re f", /* black on black */
        "BT /F1 12 Tf 20 60 Td (Secret) Tj ET 10 50 90 30 re f"  /* and a label on that */
        " 1 g BT /F1 9 Tf 20 60 Td (removed) Tj ET",
        "BT /F1 12 Tf 20 60 Td (Secret) Tj ET 1 g 10 50 90 30 re f",
        "BT /F1 12 Tf 3 Tr 20 60 Td (Secret) Tj ET",               /* invisible */
        "BT /F1 12 Tf 3 Tr 20 20 Td (Secret) Tj ET",               /* and on other text */
        "BT /F1 12 Tf 1 g 20 60 Td (Secret) Tj ET",                /* white on white */
        "q 0 0 5 5 re W n BT /F1 12 Tf 20 60 Td (Secret) Tj ET Q", /* clipped */
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        char content[512];
        struct document document;
        struct attachment attachment;
        document_begin(&document);
        pages(&document, "", FONTS " /CropBox [0 0 150 200]");
        snprintf(content, sizeof content, SHOWN " %s", hidden[i]);
        stream(&document, 4, "", TEXT(content));
        document_end(&document, "");
        clean(&document, &attachment);
        expect_finding(&attachment, "page 1: text that does not show, left out: \"Secret\"\n");
        attachment_clear(&attachment);
        expect(&document, ATTACHMENT_STRIPPED_HIDDEN);
    }
}

static void a_redaction_that_was_not_applied_is_warned_of(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment;
    document_begin(&document);
    pages(&document, "", FONTS " /Annots [6 0 R]");
    object(&document, 6, "<< /Type /Annot /Subtype /Redact /Rect [15 15 195 40] /F 4 >>");
    document_end(&document, "");
    clean(&document, &attachment);
    expect_finding(&attachment, "LOOK: page 1: marked for redaction, which was never applied; this "
                                "leaves: \"what is shown\"\n");
    attachment_clear(&attachment);
}

/* ---- pictures ---- */

#define PICTURES "/Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >>"
#define PICTURE_KEYS "/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 "

static void a_picture_that_shows_in_part_is_warned_of(void **state)
{
    (void)state;
    static const struct {
        const char *content, *finding;
    } rows[] = {
        {" q 100 0 0 100 20 60 cm /X Do Q 0 g 30 90 60 12 re f", "something lies over a part"},
        {" q 300 0 0 300 20 60 cm /X Do Q", "a picture is larger than what shows of it"},
        {" 0 g 130 90 60 12 re f q 100 0 0 100 20 60 cm /X Do Q", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char content[256];
        struct document document;
        struct attachment attachment;
        document_begin(&document);
        pages(&document, "", PICTURES);
        snprintf(content, sizeof content, SHOWN "%s", rows[i].content);
        stream(&document, 4, "", TEXT(content));
        stream(&document, 6, PICTURE_KEYS "/Width 2 /Height 2", TEXT("\x50\x90\x60\x70"));
        document_end(&document, "");
        clean(&document, &attachment);
        if (rows[i].finding == NULL)
            assert_null(attachment.findings);
        else
            expect_finding(&attachment, rows[i].finding);
        attachment_clear(&attachment);
    }
}

/* A grey JPEG of 8 by 8 pixels with a comment. */
#define ONES "01010101010101010101010101010101"
static const char jpeg[] =
    "FFD8FFFE0008536563726574FFDB004300" ONES ONES ONES ONES
    "FFC0000B080008000801011100FFC40014000100000000000000000000000000000003"
    "FFC40014100100000000000000000000000000000000FFDA0008010100003F0037FFD9>";

static void pictures_are_decoded(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment;
    document_begin(&document);
    pages(&document, "", PICTURES);
    stream(&document, 4, "", TEXT(SHOWN " q 100 0 0 100 20 60 cm /X Do Q"));
    stream(&document, 6, PICTURE_KEYS "/Width 8 /Height 8 /Filter [/ASCIIHexDecode /DCTDecode]",
           TEXT(jpeg));
    document_end(&document, "");
    clean(&document, &attachment);
    assert_false(holds(opened_of(bytes_of_attachment(&attachment)), "Secret"));
    assert_false(holds(opened_of(bytes_of_attachment(&attachment)), "DCTDecode"));
    assert_true(holds(opened_of(bytes_of_attachment(&attachment)), "/Subtype /Image"));
    assert_looks_same(buffer_bytes(&document.buffer), bytes_of_attachment(&attachment));
    assert_int_equal(attachment.stripped, ATTACHMENT_STRIPPED_IMAGES);
    attachment_clear(&attachment);
}

static void as_pictures_no_text_leaves(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment = {.data = NULL};
    document_begin(&document);
    pages(&document, "", FONTS);
    document_end(&document, "");
    assert_int_equal(attachment_pdf_picture(buffer_bytes(&document.buffer), program, &attachment),
                     ATTACHMENT_TAKEN);
    assert_false(shows(&attachment, "what"));
    assert_false(holds(opened_of(bytes_of_attachment(&attachment)), "/BaseFont"));
    /* 200 points at 150 dots for each inch */
    assert_true(holds(opened_of(bytes_of_attachment(&attachment)), "/Width 417"));
    assert_looks_same(buffer_bytes(&document.buffer), bytes_of_attachment(&attachment));
    assert_int_equal(attachment.stripped, ATTACHMENT_STRIPPED_TEXT_LAYER);
    attachment_clear(&attachment);
}

/* ---- what is refused ---- */

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
    struct attachment attachment = {.data = NULL};
    document_begin(&document);
    pages(&document, "", FONTS);
    document_end(&document, "");
    assert_int_equal(clean_encrypted(&document, (char[]){"user"}, &attachment),
                     ATTACHMENT_PROTECTED);
    assert_int_equal(clean_encrypted(&document, (char[]){""}, &attachment), ATTACHMENT_TAKEN);
    assert_true(shows(&attachment, "what is shown"));
    assert_false(holds(opened_of(bytes_of_attachment(&attachment)), "/Encrypt"));
    assert_int_equal(attachment.stripped, ATTACHMENT_STRIPPED_PROTECTION);
    attachment_clear(&attachment);
}

/* A hieroglyph, in a font that is not in the file. */
static void a_font_that_nobody_has_is_refused(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment = {.data = NULL};
    document_begin(&document);
    pages(&document, "", FONTS);
    stream(&document, 4, "", TEXT("BT /F1 12 Tf 20 20 Td <0001> Tj ET"));
    object(&document, 5,
           "<< /Type /Font /Subtype /Type0 /BaseFont /Nowhere /Encoding /Identity-H"
           " /ToUnicode 6 0 R /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2"
           " /BaseFont /Nowhere /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity)"
           " /Supplement 0 >> /FontDescriptor << /Type /FontDescriptor /FontName /Nowhere"
           " /Flags 4 /FontBBox [0 0 9 9] /ItalicAngle 0 /Ascent 9 /Descent 0 /CapHeight 9"
           " /StemV 9 >> >>] >>");
    stream(&document, 6, "",
           TEXT("1 begincodespacerange <0000> <ffff> endcodespacerange\n"
                "1 beginbfchar <0001> <D80CDC00> endbfchar\n"));
    document_end(&document, "");
    assert_int_equal(attachment_pdf_clean(buffer_bytes(&document.buffer), program, &attachment),
                     ATTACHMENT_FONT);
    assert_int_equal(attachment.page, 1);
}

static void two_lines_before_the_start_are_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        bool is_accepted;
    } rows[] = {
        {"\r\n\r\n", true}, {"From: x\n\n", true}, {"\n\n\n", false}, {"x", false}, {"", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct document document;
        struct attachment attachment;
        document_begin(&document);
        document.buffer.size = 0;
        put(&document, rows[i].before);
        put(&document, "%PDF-1.7\n");
        pages(&document, "", FONTS);
        document_end(&document, "");
        assert_int_equal(attachment_pdf_is(buffer_bytes(&document.buffer)), rows[i].is_accepted);
        if (!rows[i].is_accepted)
            continue;
        clean(&document, &attachment);
        assert_true(shows(&attachment, "what is shown"));
        attachment_clear(&attachment);
    }
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

static void a_torn_document_is_damaged(void **state)
{
    (void)state;
    struct document document;
    document_begin(&document);
    pages(&document, "", FONTS);
    document_end(&document, "");
    for (size_t size = 9; size + 8 < document.buffer.size; size += 41)
        assert_int_equal(verdict_of((struct bytes){document.memory, size}), ATTACHMENT_DAMAGED);
}

static void a_page_that_is_too_large_for_a_picture_is_refused(void **state)
{
    (void)state;
    struct document document;
    struct attachment attachment = {.data = NULL};
    document_begin(&document);
    pages(&document, "", FONTS " /MediaBox [0 0 90000 90000]");
    document_end(&document, "");
    assert_int_equal(attachment_pdf_picture(buffer_bytes(&document.buffer), program, &attachment),
                     ATTACHMENT_TOO_DEAR);
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
    struct attachment attachment = {.data = NULL};
    assert_int_equal(attachment_pdf_clean(TEXT("%PDF-1.7"), "/nonexistent", &attachment),
                     ATTACHMENT_NO_CLEANER);
    char path[4096];
    assert_int_equal(attachment_pdf_find(path, sizeof path), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_look_as_they_did),
        cmocka_unit_test(properties_and_ids_are_gone),
        cmocka_unit_test(xmp_is_gone_wherever_it_hangs),
        cmocka_unit_test(earlier_states_are_gone),
        cmocka_unit_test(objects_that_no_page_reaches_are_gone),
        cmocka_unit_test(files_inside_are_gone),
        cmocka_unit_test(scripts_and_actions_are_gone),
        cmocka_unit_test(of_notes_and_forms_stays_what_shows),
        cmocka_unit_test(a_layer_shows_as_it_is_set),
        cmocka_unit_test(data_inside_pages_is_gone),
        cmocka_unit_test(a_field_looks_like_its_value),
        cmocka_unit_test(a_value_that_does_not_show_in_full_is_refused),
        cmocka_unit_test(a_box_is_ticked_by_its_value),
        cmocka_unit_test(a_note_without_a_picture_is_drawn),
        cmocka_unit_test(a_form_for_one_program_alone_is_refused),
        cmocka_unit_test(text_that_does_not_show_is_left_out_and_told),
        cmocka_unit_test(a_redaction_that_was_not_applied_is_warned_of),
        cmocka_unit_test(a_picture_that_shows_in_part_is_warned_of),
        cmocka_unit_test(pictures_are_decoded),
        cmocka_unit_test(as_pictures_no_text_leaves),
        cmocka_unit_test(what_needs_a_password_is_refused),
        cmocka_unit_test(a_font_that_nobody_has_is_refused),
        cmocka_unit_test(two_lines_before_the_start_are_accepted),
        cmocka_unit_test(what_is_no_document_is_damaged),
        cmocka_unit_test(a_torn_document_is_damaged),
        cmocka_unit_test(a_page_that_is_too_large_for_a_picture_is_refused),
        cmocka_unit_test(what_would_take_all_memory_ends_the_child_alone),
        cmocka_unit_test(a_missing_program_is_said_to_be_missing),
    };
    return cmocka_run_group_tests(tests, find_program, NULL);
}
