#include "node/attachment/pdf_redraw.hh"

#include <algorithm>
#include <memory>

#include <poppler/Catalog.h>
#include <poppler/Error.h>
#include <poppler/ErrorCodes.h>
#include <poppler/GlobalParams.h>
#include <poppler/PDFDoc.h>
#include <poppler/Page.h>
#include <poppler/Stream.h>

#include "node/attachment/pdf_drawing.hh"
#include "node/attachment/pdf_form.hh"
#include "node/attachment/pdf_sight.hh"

namespace
{

constexpr size_t QUOTE_MAX = 160;   // characters of the document in one line of the findings
constexpr double DOUBLE_MAX = 0.25; // points between the two drawings of a bold character

size_t error_count = 0; // of the document that is being read; the child has one thread

void on_error(ErrorCategory category, Goffset, const char *)
{
    if (category == errSyntaxError)
        error_count++;
}

std::unique_ptr<PDFDoc> document_of(const std::string &file)
{
    return std::make_unique<PDFDoc>(
        new MemStream(file.data(), 0, Goffset(file.size()), Object(objNull)));
}

// ---- findings ----

class Findings
{
  public:
    explicit Findings(std::string &target) : all(target)
    {
    }

    void add(const char *kind, int page, const std::string &text)
    {
        const std::string line =
            std::string(kind) + "page " + std::to_string(page) + ": " + text + "\n";
        if (all.size() + line.size() > ATTACHMENT_FINDINGS_SIZE_MAX - REST.size())
            is_cut = true;
        else
            all += line;
    }

    void end()
    {
        if (is_cut)
            all += REST;
    }

  private:
    const std::string REST = "LOOK: there is more of this kind than fits here\n";
    std::string &all;
    bool is_cut = false;
};

std::string quoted(const std::u32string &text)
{
    std::u32string words;
    for (char32_t c : text) {
        const bool is_space = pdf_sight_is_space(c) && c < 0xe000;
        if (!is_space)
            words.push_back(c);
        else if (!words.empty() && words.back() != U' ')
            words.push_back(U' ');
    }
    while (!words.empty() && words.back() == U' ')
        words.pop_back();
    const bool is_cut = words.size() > QUOTE_MAX;
    words.resize(std::min(words.size(), QUOTE_MAX));
    return "\"" + pdf_sight_utf8(words) + (is_cut ? "...\"" : "\"");
}

// Text that is not seen, without what another character at the same place shows.
std::u32string hidden_text(const PdfSight &sight)
{
    std::u32string text;
    const PdfGlyph *before = nullptr;
    for (const PdfGlyph &glyph : sight.glyphs) {
        if (glyph.is_seen)
            continue;
        const bool is_double =
            std::any_of(sight.glyphs.begin(), sight.glyphs.end(), [&](const PdfGlyph &other) {
                return other.is_seen && other.text == glyph.text &&
                       std::abs(other.x - glyph.x) < DOUBLE_MAX &&
                       std::abs(other.y - glyph.y) < DOUBLE_MAX;
            });
        if (is_double)
            continue;
        const bool is_apart =
            before != nullptr && (std::abs(glyph.y - before->y) > 1 || glyph.x - before->right > 1);
        if (is_apart)
            text += U' ';
        text += glyph.text.empty() ? U"?" : glyph.text;
        before = &glyph;
    }
    return text;
}

// ---- what the document holds beside its pages ----

bool has_key(const Object &dictionary, const char *key)
{
    return dictionary.isDict() && !dictionary.dictLookup(key).isNull();
}

uint32_t stripped_of(PDFDoc &document, const std::string &input)
{
    uint32_t stripped = 0;
    const auto note = [&](bool is_there, uint32_t what) { stripped |= is_there ? what : 0; };
    const Object root = document.getXRef()->getCatalog();
    const Object names = root.isDict() ? root.dictLookup("Names") : Object(objNull);
    const Object *trailer = document.getXRef()->getTrailerDict();
    note(has_key(*trailer, "Info"), ATTACHMENT_STRIPPED_INFO);
    note(has_key(root, "Metadata"), ATTACHMENT_STRIPPED_XMP);
    note(has_key(names, "EmbeddedFiles") || has_key(root, "AF") || has_key(root, "Collection"),
         ATTACHMENT_STRIPPED_FILES);
    note(has_key(names, "JavaScript") || has_key(root, "OpenAction") || has_key(root, "AA"),
         ATTACHMENT_STRIPPED_ACTIONS);
    note(has_key(root, "AcroForm"), ATTACHMENT_STRIPPED_NOTES);
    note(has_key(root, "Outlines") || has_key(root, "OCProperties") ||
             has_key(root, "StructTreeRoot"),
         ATTACHMENT_STRIPPED_OUTLINE);
    note(has_key(root, "PieceInfo"), ATTACHMENT_STRIPPED_OTHER);
    note(document.isEncrypted(), ATTACHMENT_STRIPPED_PROTECTION);
    for (int number = 1; number <= document.getNumPages(); number++) {
        Page *page = document.getPage(number);
        if (page == nullptr)
            continue;
        const Object entries = page->getAnnotsObject();
        note(entries.isArray() && entries.arrayGetLength() > 0, ATTACHMENT_STRIPPED_NOTES);
        note(page->getMetadata() != nullptr, ATTACHMENT_STRIPPED_XMP);
        note(page->getPieceInfo() != nullptr, ATTACHMENT_STRIPPED_OTHER);
    }
    // each time a program saves its changes behind the old document it ends that with one more
    // mark; a document made for the web has two from the start
    size_t marks = 0;
    for (size_t at = input.find("%%EOF"); at != std::string::npos; at = input.find("%%EOF", at + 5))
        marks++;
    note(marks > (document.isLinearized() ? 2u : 1u), ATTACHMENT_STRIPPED_STATES);
    return stripped;
}

// ---- the way ----

class Redraw
{
  public:
    Redraw(const std::string &original, bool as_pictures, PdfRedrawn &target)
        : input(original), is_as_pictures(as_pictures), result(target), findings(target.findings)
    {
    }

    attachment_pdf_exit run()
    {
        attachment_pdf_exit status = open();
        if (status == ATTACHMENT_PDF_CLEANED)
            status = look();
        if (status == ATTACHMENT_PDF_CLEANED)
            status = draw();
        if (status == ATTACHMENT_PDF_CLEANED && !is_as_pictures)
            status = compare();
        findings.end();
        return status;
    }

  private:
    const std::string &input;
    std::string filled; // `input` with its fields drawn, when that was needed
    bool is_as_pictures;
    PdfRedrawn &result;
    Findings findings;
    std::unique_ptr<PDFDoc> document;
    std::vector<PdfFormValue> values;
    std::vector<PdfSight> sights;

    const std::string &file() const
    {
        return filled.empty() ? input : filled;
    }

    attachment_pdf_exit refuse(int page, attachment_pdf_exit why)
    {
        result.page = page;
        return why;
    }

    attachment_pdf_exit open()
    {
        if (input.find("%%EOF") == std::string::npos)
            return ATTACHMENT_PDF_DAMAGED;
        document = document_of(input);
        if (!document->isOk())
            return document->getErrorCode() == errEncrypted ? ATTACHMENT_PDF_PROTECTED
                                                            : ATTACHMENT_PDF_DAMAGED;
        if (document->getNumPages() <= 0)
            return ATTACHMENT_PDF_DAMAGED;
        if (document->getNumPages() > ATTACHMENT_PDF_PAGE_COUNT_MAX)
            return ATTACHMENT_PDF_TOO_DEAR;
        if (pdf_form_is_dynamic(*document))
            return ATTACHMENT_PDF_DYNAMIC;
        result.stripped = stripped_of(*document, input);
        switch (pdf_form_fill(*document, filled, values)) {
        case PdfFormFilled::DAMAGED:
            return ATTACHMENT_PDF_DAMAGED;
        case PdfFormFilled::NOT_NEEDED:
            filled.clear();
            break;
        case PdfFormFilled::DONE:
            break;
        }
        const int page_count = document->getNumPages();
        document = document_of(file()); // also when looking for fields has changed it
        if (!document->isOk() || document->getNumPages() != page_count)
            return ATTACHMENT_PDF_DAMAGED;
        return ATTACHMENT_PDF_CLEANED;
    }

    // What can be seen of each page.
    attachment_pdf_exit look()
    {
        for (int page = 1; page <= document->getNumPages(); page++) {
            if (document->getPage(page) == nullptr)
                return refuse(page, ATTACHMENT_PDF_DAMAGED);
            error_count = 0;
            sights.push_back(pdf_sight_of(*document, page));
            const PdfSight &sight = sights.back();
            if (error_count > 0)
                findings.add("LOOK: ", page,
                             "parts of it are damaged: compare it with the original");
            for (const PdfGlyph &glyph : sight.glyphs)
                if (glyph.is_font_missing)
                    return refuse(page, ATTACHMENT_PDF_FONT);
            if (!has_values(page, sight))
                return refuse(page, ATTACHMENT_PDF_FIELD);
            report(page, sight);
        }
        return ATTACHMENT_PDF_CLEANED;
    }

    static std::u32string seen_bag(const PdfSight &sight)
    {
        std::u32string text;
        for (const PdfGlyph &glyph : sight.glyphs)
            if (glyph.is_seen)
                text += glyph.text;
        return pdf_sight_bag(text);
    }

    // The texts of fields whose look was made from their values are all seen.
    bool has_values(int page, const PdfSight &sight) const
    {
        std::u32string wanted;
        for (const PdfFormValue &value : values)
            if (value.page == page)
                wanted += value.text;
        wanted = pdf_sight_bag(wanted);
        const std::u32string seen = wanted.empty() ? wanted : seen_bag(sight);
        return std::includes(seen.begin(), seen.end(), wanted.begin(), wanted.end());
    }

    void report(int page, const PdfSight &sight)
    {
        const std::u32string marked = pdf_form_unredacted(*document, page, sight);
        if (!marked.empty())
            findings.add("LOOK: ", page,
                         "marked for redaction, which was never applied; this leaves: " +
                             quoted(marked));
        const std::u32string hidden = hidden_text(sight);
        if (!pdf_sight_bag(hidden).empty()) {
            result.stripped |= ATTACHMENT_STRIPPED_HIDDEN;
            findings.add("", page, "text that does not show, left out: " + quoted(hidden));
        }
        if (sight.has_coded_picture)
            result.stripped |= ATTACHMENT_STRIPPED_IMAGES;
        if (is_as_pictures)
            return;
        if (sight.has_covered_picture)
            findings.add("LOOK: ", page,
                         "something lies over a part of a picture; what is below it leaves too: "
                         "send the pages as pictures if it must not");
        if (sight.has_cropped_picture)
            findings.add("LOOK: ", page,
                         "a picture is larger than what shows of it; all of it leaves: send the "
                         "pages as pictures if it must not");
    }

    attachment_pdf_exit draw()
    {
        PdfDrawing drawing = {file(), sights, is_as_pictures, PdfPictures::EXACT,
                              ATTACHMENT_SIZE_MAX};
        PdfDrawn drawn = pdf_drawing_draw(drawing, result.file);
        if (drawn == PdfDrawn::TOO_LARGE) {
            drawing.pictures = PdfPictures::SMALLER;
            drawn = pdf_drawing_draw(drawing, result.file);
            findings.add("", 1, "pictures were compressed again, for the document to fit");
        }
        if (is_as_pictures)
            result.stripped |= ATTACHMENT_STRIPPED_TEXT_LAYER;
        switch (drawn) {
        case PdfDrawn::DONE:
            return ATTACHMENT_PDF_CLEANED;
        case PdfDrawn::DAMAGED:
            return ATTACHMENT_PDF_DAMAGED;
        case PdfDrawn::TOO_LARGE:
        case PdfDrawn::NO_MEMORY:
            break;
        }
        return ATTACHMENT_PDF_TOO_DEAR;
    }

    // What can be extracted from the result is what could be seen of the original.
    attachment_pdf_exit compare()
    {
        const std::unique_ptr<PDFDoc> drawn = document_of(result.file);
        if (!drawn->isOk() || drawn->getNumPages() != document->getNumPages())
            return ATTACHMENT_PDF_DAMAGED;
        for (int page = 1; page <= drawn->getNumPages(); page++)
            if (pdf_sight_bag(pdf_sight_text(*drawn, page)) != seen_bag(sights[size_t(page) - 1]))
                return refuse(page, ATTACHMENT_PDF_TEXT);
        return ATTACHMENT_PDF_CLEANED;
    }
};

} // namespace

attachment_pdf_exit pdf_redraw(const std::string &input, bool is_as_pictures,
                               PdfRedrawn &ret_result)
{
    const GlobalParamsIniter library(on_error);
    return Redraw(input, is_as_pictures, ret_result).run();
}
