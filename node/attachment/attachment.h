/* What a clinician attaches to a case: checked, and freed of what does not show.
 *
 * The type is told from the bytes and must be the one that the name's ending says. What comes out
 * is written anew from the parts that make the page or picture; so whatever a camera, scanner or
 * word processor put in beside it stays behind:
 *
 *   text  UTF-8 without control characters; a byte order mark is dropped
 *   PNG   attachment_png.h     JPEG  attachment_jpeg.h     PDF  attachment_pdf.h
 *   DICOM is known and refused, as long as this program cannot de-identify it
 *
 * What shows is not touched: a name burnt into an image or written in a letter is for the person
 * who confirms the preview to see. Neither is the file's own name, which the preview shows too,
 * with what it may tell of the patient (name_hints.h). Only files of one's own go through here.
 * What others sent is shown as it came. */
#ifndef CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_H
#define CONSILIUM_NODE_ATTACHMENT_ATTACHMENT_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

enum { ATTACHMENT_FINDINGS_SIZE_MAX = 2048 };

enum attachment_type { ATTACHMENT_TEXT, ATTACHMENT_PDF, ATTACHMENT_PNG, ATTACHMENT_JPEG };

/* Why a file is not taken: for people. */
#define ATTACHMENT_VERDICT_LIST(X)                                                                 \
    X(TAKEN, "taken")                                                                              \
    X(EMPTY, "it is empty")                                                                        \
    X(TOO_LARGE, "it is over 64 MiB")                                                              \
    X(NAME, "its name is too long, or holds a slash or characters that do not show")               \
    X(ENDING, "its name must end in .txt, .pdf, .png, .jpg or .jpeg")                              \
    X(NOT_WHAT_IT_SAYS, "it is not what its name says")                                            \
    X(DICOM, "it is DICOM, which is not de-identified yet: its header names the patient")          \
    X(NOT_TEXT, "it is not text in UTF-8, or holds control characters")                            \
    X(DAMAGED, "it is damaged")                                                                    \
    X(UNUSUAL, "it is of a kind that not every viewer shows; save it anew as usual")               \
    X(PROTECTED, "it is protected with a password; save it without")                               \
    X(DYNAMIC, "it is a form that only its own program can show (XFA)")                            \
    X(FONT, "it uses a font that is neither in the file nor on this computer")                     \
    X(FIELD, "the value of a form field does not show in full")                                    \
    X(TEXT_CHANGES, "its text would not stay as it shows")                                         \
    X(TOO_DEAR, "cleaning it takes too much time or memory; print it to a new file")               \
    /* our own trouble, not the file's */                                                          \
    X(NO_CLEANER, "the program consilium-pdf, which draws PDF, does not start")                    \
    X(NO_MEMORY, "out of memory")

#define ATTACHMENT_ENUM(name, sentence) ATTACHMENT_##name,
enum attachment_verdict { ATTACHMENT_VERDICT_LIST(ATTACHMENT_ENUM) ATTACHMENT_VERDICT_COUNT };
#undef ATTACHMENT_ENUM

/* What was left out, for the preview; bits of `stripped` below. */
#define ATTACHMENT_STRIPPED_LIST(X)                                                                \
    X(MARK, "byte order mark")                                                                     \
    X(EXIF, "camera and scanner data (EXIF); the picture's orientation is kept")                   \
    X(XMP, "editing data (XMP)")                                                                   \
    X(COMMENTS, "comments and embedded text")                                                      \
    X(TIME, "time of the last change")                                                             \
    X(PROFILE, "colour profile")                                                                   \
    X(THUMBNAIL, "small preview image")                                                            \
    X(TRAILING, "bytes after the end")                                                             \
    X(OTHER, "data of single programs")                                                            \
    X(INFO, "document properties (author, title, dates)")                                          \
    X(FILES, "files inside the document")                                                          \
    X(ACTIONS, "scripts and actions")                                                              \
    X(NOTES, "notes, links and form fields; what shows of them is kept")                           \
    X(OUTLINE, "bookmarks, layers and structure; what shows of them is kept")                      \
    X(STATES, "earlier states of the document")                                                    \
    X(IMAGES, "data inside the document's images")                                                 \
    X(PROTECTION, "restrictions on printing and copying")                                          \
    X(HIDDEN, "text that does not show")                                                           \
    X(TEXT_LAYER, "all text as text: the pages leave as pictures of 150 dpi")

#define ATTACHMENT_ENUM(name, sentence) ATTACHMENT_BIT_##name,
enum attachment_bit { ATTACHMENT_STRIPPED_LIST(ATTACHMENT_ENUM) ATTACHMENT_BIT_COUNT };
#undef ATTACHMENT_ENUM

#define ATTACHMENT_ENUM(name, sentence) ATTACHMENT_STRIPPED_##name = 1 << ATTACHMENT_BIT_##name,
enum attachment_stripped { ATTACHMENT_STRIPPED_LIST(ATTACHMENT_ENUM) };
#undef ATTACHMENT_ENUM

struct attachment {
    enum attachment_type type;
    uint8_t *data; /* owned; attachment_clear */
    size_t size;
    uint32_t stripped; /* enum attachment_stripped */
    char *findings;    /* owned; for the preview, each line ends with a newline. One that begins
                          with "LOOK: " warns of what leaves. NULL: none */
    uint32_t page;     /* also on failure: the page that a PDF is refused for; 0: none */
};

/* Cleans `content`, of the file called `name`, into `*ret_attachment`; both are borrowed for the
 * call. `pdf_program` is the path of consilium-pdf (attachment_pdf.h).
 *
 * ATTACHMENT_TAKEN, or the verdict to show; then only `ret_attachment->page` is set. May take
 * seconds, for a PDF up to ATTACHMENT_PDF_TIME_S_MAX: call it on a worker thread. */
MUST_USE enum attachment_verdict attachment_take(struct bytes name, struct bytes content,
                                                 const char *pdf_program,
                                                 struct attachment *ret_attachment);

/* The same; of a PDF each page becomes a picture without text (attachment_pdf_picture). Other types
 * are taken as they are. */
MUST_USE enum attachment_verdict attachment_take_as_pictures(struct bytes name,
                                                             struct bytes content,
                                                             const char *pdf_program,
                                                             struct attachment *ret_attachment);

/* Frees the data; takes what attachment_take filled, or zeros. */
void attachment_clear(struct attachment *attachment);

/* "application/pdf"; static storage. */
const char *attachment_media_type(enum attachment_type type);

/* The sentences above; static storage. */
const char *attachment_sentence(enum attachment_verdict verdict);
/* What can be done then; static storage. */
const char *attachment_advice(enum attachment_verdict verdict);
const char *attachment_stripped_text(enum attachment_bit bit);

#endif
