#include "node/attachment/pdf_fonts.hh"

#include <fontconfig/fontconfig.h>

#include <poppler/GfxFont.h>

namespace
{

FcCharSet *characters = nullptr; // of all fonts together

bool is_in_file(GfxFont *font)
{
    Ref ref;
    return font->getType() == fontType3 || font->getEmbeddedFontID(&ref);
}

bool is_private(char32_t character)
{
    return character >= 0xe000 && character <= 0xf8ff;
}

} // namespace

bool pdf_fonts_load()
{
    if (!FcInit())
        return false;
    FcPattern *any = FcPatternCreate();
    FcObjectSet *wanted = FcObjectSetBuild(FC_CHARSET, static_cast<const char *>(nullptr));
    FcFontSet *fonts = FcFontList(nullptr, any, wanted);
    characters = FcCharSetCreate();
    for (int i = 0; fonts != nullptr && i < fonts->nfont; i++) {
        FcCharSet *own = nullptr;
        if (FcPatternGetCharSet(fonts->fonts[i], FC_CHARSET, 0, &own) == FcResultMatch)
            FcCharSetMerge(characters, own, nullptr);
    }
    const bool is_any = fonts != nullptr && fonts->nfont > 0;
    if (fonts != nullptr)
        FcFontSetDestroy(fonts);
    FcObjectSetDestroy(wanted);
    FcPatternDestroy(any);
    return is_any;
}

bool pdf_fonts_lack(GfxFont *font, const std::u32string &text)
{
    if (font == nullptr || is_in_file(font))
        return false;
    if (characters == nullptr || FcCharSetCount(characters) == 0)
        return true;
    if (text.empty())
        return font->isCIDFont();
    for (char32_t character : text)
        if (!is_private(character) && !FcCharSetHasChar(characters, character))
            return true;
    return false;
}
