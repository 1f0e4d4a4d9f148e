// Debian 12's Vulkan headers are older than VK_EXT_layer_settings. ggml-vulkan.cpp names
// these two types even where it does not validate, so they must exist, and never work.
#pragma once
#ifdef ggml_vulkan_EXPORTS
#include <cstdint>
#include <vector>
#include <vulkan/vulkan.hpp>
#ifndef VK_EXT_layer_settings
namespace vk {

enum class LayerSettingTypeEXT { eBool32 };

struct LayerSettingEXT {
    const char * layer;
    const char * name;
    LayerSettingTypeEXT type;
    uint32_t count;
    const void * values;
};

struct LayerSettingsCreateInfoEXT {
    VkStructureType sType{};
    const void * pNext = nullptr;
    uint32_t settingCount = 0;
    const LayerSettingEXT * pSettings = nullptr;

    explicit LayerSettingsCreateInfoEXT(const std::vector<LayerSettingEXT> &) {}
};

}  // namespace vk
#endif
#endif
