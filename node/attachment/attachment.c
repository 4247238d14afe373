#include "node/attachment/attachment.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node/attachment/attachment_jpeg.h"
#include "node/attachment/attachment_pdf.h"
#include "node/attachment/attachment_png.h"
#include "node/attachment/attachment_text.h"
#include "protocol/base/limits.h"

/* ---- types ---- */

/* What a name or bytes claim to be; the first ones in the order of enum attachment_type. */
enum kind { KIND_TEXT, KIND_PDF, KIND_PNG, KIND_JPEG, KIND_DICOM, KIND_NONE };

static enum kind kind_of_name(struct bytes name)
{
    static const struct {
        const char *ending;
        enum kind kind;
    } endings[] = {
        {".txt", KIND_TEXT},  {".pdf", KIND_PDF},   {".png", KIND_PNG},     {".jpg", KIND_JPEG},
        {".jpeg", KIND_JPEG}, {".dcm", KIND_DICOM}, {".dicom", KIND_DICOM}, {".ima", KIND_DICOM},
    };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t size = strlen(endings[i].ending);
        if (name.size > size &&
            strncasecmp((const char *)name.data + name.size - size, endings[i].ending, size) == 0)
            return endings[i].kind;
    }
    return KIND_NONE;
}

/* DICOM PS3.10, section 7.1: "DICM" after 128 bytes. Old files lack both and begin with an element
 * of group 0002 or 0008: group, element, then two capital letters, its value representation. */
static bool kind_is_dicom(struct bytes content)
{
    const uint8_t *data = content.data;
    if (content.size >= 132 && memcmp(data + 128, "DICM", 4) == 0)
        return true;
    return content.size >= 8 && (data[0] == 0x02 || data[0] == 0x08) && data[1] == 0 &&
           data[3] == 0 && data[4] >= 'A' && data[4] <= 'Z' && data[5] >= 'A' && data[5] <= 'Z';
}

static enum kind kind_of_content(struct bytes content)
{
    if (kind_is_dicom(content))
        return KIND_DICOM;
    if (attachment_pdf_is(content))
        return KIND_PDF;
    if (attachment_png_is(content))
        return KIND_PNG;
    return attachment_jpeg_is(content) ? KIND_JPEG : KIND_TEXT;
}

/* ---- cleaning ---- */

static enum attachment_verdict verdict_of(err failure, enum kind kind)
{
    if (failure == OK)
        return ATTACHMENT_TAKEN;
    if (failure == ERR_MALFORMED)
        return kind == KIND_TEXT ? ATTACHMENT_NOT_TEXT : ATTACHMENT_DAMAGED;
    return ATTACHMENT_UNUSUAL;
}

static enum attachment_verdict attachment_rewrite(struct bytes content, enum kind kind,
                                                  struct attachment *ret_attachment)
{
    size_t capacity = content.size + ATTACHMENT_JPEG_GROWTH_MAX;
    uint8_t *data = malloc(capacity);
    uint32_t stripped = 0;
    err failure = OK;
    if (data == NULL)
        return ATTACHMENT_NO_MEMORY;
    struct buffer out = buffer_over(data, capacity);
    if (kind == KIND_PNG)
        failure = attachment_png_clean(content, &out, &stripped);
    else if (kind == KIND_JPEG)
        failure = attachment_jpeg_clean(content, &out, &stripped);
    else
        failure = attachment_text_clean(content, &out, &stripped);
    enum attachment_verdict verdict = verdict_of(failure, kind);
    if (verdict == ATTACHMENT_TAKEN && out.size > ATTACHMENT_SIZE_MAX)
        verdict = ATTACHMENT_TOO_LARGE;
    if (verdict == ATTACHMENT_TAKEN && out.size == 0)
        verdict = ATTACHMENT_EMPTY;
    if (verdict != ATTACHMENT_TAKEN) {
        free(data);
        return verdict;
    }
    *ret_attachment = (struct attachment){
        .type = (enum attachment_type)kind, .data = data, .size = out.size, .stripped = stripped};
    return ATTACHMENT_TAKEN;
}

static enum attachment_verdict attachment_take_either(struct bytes name, struct bytes content,
                                                      const char *pdf_program, bool is_as_pictures,
                                                      struct attachment *ret_attachment)
{
    ret_attachment->page = 0;
    if (!attachment_text_is_name(name))
        return ATTACHMENT_NAME;
    if (content.size == 0)
        return ATTACHMENT_EMPTY;
    if (content.size > ATTACHMENT_SIZE_MAX)
        return ATTACHMENT_TOO_LARGE;
    enum kind named = kind_of_name(name);
    enum kind kind = kind_of_content(content);
    if (kind == KIND_DICOM || named == KIND_DICOM)
        return ATTACHMENT_DICOM;
    if (named == KIND_NONE)
        return ATTACHMENT_ENDING;
    if (kind != named)
        return ATTACHMENT_NOT_WHAT_IT_SAYS;
    if (kind == KIND_PDF && is_as_pictures)
        return attachment_pdf_picture(content, pdf_program, ret_attachment);
    if (kind == KIND_PDF)
        return attachment_pdf_clean(content, pdf_program, ret_attachment);
    return attachment_rewrite(content, kind, ret_attachment);
}

enum attachment_verdict attachment_take(struct bytes name, struct bytes content,
                                        const char *pdf_program, struct attachment *ret_attachment)
{
    return attachment_take_either(name, content, pdf_program, false, ret_attachment);
}

enum attachment_verdict attachment_take_as_pictures(struct bytes name, struct bytes content,
                                                    const char *pdf_program,
                                                    struct attachment *ret_attachment)
{
    return attachment_take_either(name, content, pdf_program, true, ret_attachment);
}

void attachment_clear(struct attachment *attachment)
{
    free(attachment->findings);
    free(attachment->data);
    *attachment = (struct attachment){.data = NULL};
}

/* ---- words ---- */

const char *attachment_media_type(enum attachment_type type)
{
    switch (type) {
    case ATTACHMENT_TEXT:
        return "text/plain; charset=utf-8";
    case ATTACHMENT_PDF:
        return "application/pdf";
    case ATTACHMENT_PNG:
        return "image/png";
    case ATTACHMENT_JPEG:
        return "image/jpeg";
    }
    return "application/octet-stream";
}

#define ATTACHMENT_SENTENCE(name, sentence) sentence,

const char *attachment_sentence(enum attachment_verdict verdict)
{
    static const char *const sentences[] = {ATTACHMENT_VERDICT_LIST(ATTACHMENT_SENTENCE)};
    return (size_t)verdict < ATTACHMENT_VERDICT_COUNT ? sentences[verdict] : "not taken";
}

const char *attachment_advice(enum attachment_verdict verdict)
{
    switch (verdict) {
    case ATTACHMENT_DICOM:
        return "save the images that matter as PNG or JPEG, look that no name is burnt in, and "
               "attach those";
    case ATTACHMENT_TOO_LARGE:
        return "attach only the pages or images that matter, or smaller ones";
    case ATTACHMENT_NAME:
        return "attach it under another name: --name letter.pdf";
    case ATTACHMENT_NOT_WHAT_IT_SAYS:
        return "give it the ending that its content has, or save it anew as what its name says";
    case ATTACHMENT_NOT_TEXT:
        return "save it as plain text in UTF-8";
    case ATTACHMENT_DAMAGED:
        return "make it anew from the original";
    case ATTACHMENT_NO_CLEANER:
        return "the administrator must install it beside consiliumd";
    case ATTACHMENT_NO_MEMORY:
        return "wait a moment and try again";
    case ATTACHMENT_DYNAMIC:
        return "open it in the program that it was made for, print it to a new PDF, attach that";
    case ATTACHMENT_FIELD:
        return "print it to a new PDF in the program that it was filled in with, attach that";
    case ATTACHMENT_FONT:
        return "save it with all fonts embedded, or ask the administrator to install the font";
    case ATTACHMENT_TEXT_CHANGES:
        return "send its pages as pictures: draft attach --pages-as-pictures";
    case ATTACHMENT_TAKEN:
    case ATTACHMENT_EMPTY:
    case ATTACHMENT_ENDING:
    case ATTACHMENT_UNUSUAL:
    case ATTACHMENT_PROTECTED:
    case ATTACHMENT_TOO_DEAR:
    case ATTACHMENT_VERDICT_COUNT:
        break;
    }
    return "attach text in UTF-8, PDF, PNG or JPEG";
}

const char *attachment_stripped_text(enum attachment_bit bit)
{
    static const char *const texts[] = {ATTACHMENT_STRIPPED_LIST(ATTACHMENT_SENTENCE)};
    return (size_t)bit < ATTACHMENT_BIT_COUNT ? texts[bit] : "";
}
