/** The configuration of the documentation's site, which scripts/build-site.ts copies beside the pages. Links begin at the site's root. */
import { defineConfig } from "vitepress";

/** Anchors as GitHub makes them, so that one link serves the repository and the site. */
const slugify = (title) =>
  title
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const page = (text, name) => ({ text, link: `/docs/${name}` });

const SIDEBAR = [
  {
    text: "Begin",
    items: [
      { text: "What it is", link: "/" },
      page("Deploying", "deploy"),
      page("From GitHub Actions", "deploy-from-github"),
      { text: "Example stacks", link: "/examples/" },
      page("As a library", "library"),
      // Typedoc writes it, so the router of VitePress does not know it.
      { text: "API reference", link: "/api/index.html", target: "_self" },
      { text: "Policies for stacks", link: "/packages/policy-pack/" },
      page("Why not something else", "alternatives"),
      page("Migration", "migration"),
    ],
  },
  {
    text: "Operate",
    items: [
      page("Operations", "operations"),
      page("Runbook", "runbook"),
      page("Doctor", "doctor"),
      page("What it costs", "cost"),
      page("Scale", "scale"),
    ],
  },
  {
    text: "Look up",
    items: [
      page("Configuration", "configuration"),
      page("Limits of the clouds", "limits"),
      page("Guarantees", "guarantees"),
      page("S3's own replication", "native-replication"),
      page("Security", "security"),
      page("Benchmarks", "benchmarks"),
      { text: "Results of the benchmark", link: "/bench/RESULTS" },
      { text: "Changelog", link: "/CHANGELOG" },
    ],
  },
  {
    text: "Work on it",
    collapsed: true,
    items: [
      { text: "Contributing", link: "/CONTRIBUTING" },
      page("Architecture", "architecture"),
      page("Testing", "testing"),
      page("Local clouds", "local-cloud"),
      page("A tour: break it, mend it", "tour"),
      { text: "The local Alibaba Cloud", link: "/packages/local-alicloud/" },
      page("Judges", "judges"),
      page("Checks on real accounts", "verify-live"),
      page("Adding a cloud", "adding-a-cloud"),
      page("Dependencies", "dependencies"),
      page("Decisions", "adr/"),
      { text: "Reporting a vulnerability", link: "/SECURITY" },
    ],
  },
];

/** Cuts text into words, also where no spaces are between them, as in Chinese. It runs in the build and in the browser, so it stands alone. */
const tokenize = (text) =>
  [...new Intl.Segmenter("zh", { granularity: "word" }).segment(text)]
    .filter(({ isWordLike }) => isWordLike)
    .flatMap(({ segment }) => segment.split(/[^\p{L}\p{N}]+/u))
    .filter((word) => word !== "");

const NAV = [
  page("Deploy", "deploy"),
  page("Operate", "operations"),
  page("Configuration", "configuration"),
  { text: "API", link: "/api/index.html", target: "_self" },
];

const CHINESE_SEARCH = {
  button: { buttonText: "搜索", buttonAriaLabel: "搜索" },
  modal: {
    displayDetails: "显示详细列表",
    resetButtonTitle: "清除",
    backButtonTitle: "关闭",
    noResultsText: "没有找到结果：",
    footer: {
      selectText: "选择",
      selectKeyAriaLabel: "回车键",
      navigateText: "移动",
      navigateUpKeyAriaLabel: "上箭头键",
      navigateDownKeyAriaLabel: "下箭头键",
      closeText: "关闭",
      closeKeyAriaLabel: "Esc 键",
    },
  },
};

export default defineConfig({
  title: "CrossBorderBridge",
  lang: "en",
  markdown: { anchor: { slugify } },
  themeConfig: {
    search: {
      provider: "local",
      options: { miniSearch: { options: { tokenize } }, locales: { zh: { translations: CHINESE_SEARCH } } },
    },
    nav: NAV,
    // Most pages exist in one language, so the switch leads to the first page of the other one.
    i18nRouting: false,
    outline: [2, 3],
    sidebar: SIDEBAR,
  },
  locales: {
    root: { label: "English", lang: "en", description: "Keeps a destination bucket in step with a source bucket" },
    zh: {
      label: "简体中文",
      lang: "zh-CN",
      description: "让目标存储桶与源存储桶保持一致",
      themeConfig: {
        outline: { level: [2, 3], label: "本页目录" },
        docFooter: { prev: "上一页", next: "下一页" },
        darkModeSwitchLabel: "外观",
        sidebarMenuLabel: "目录",
        returnToTopLabel: "回到顶部",
        langMenuLabel: "语言",
        lightModeSwitchTitle: "切换到浅色模式",
        darkModeSwitchTitle: "切换到深色模式",
        skipToContentLabel: "跳到正文",
        notFound: {
          title: "没有找到页面",
          quote: "链接可能已经失效。",
          linkText: "返回首页",
          linkLabel: "返回首页",
          code: "404",
        },
        nav: [
          { text: "快速入门", link: "/zh/quick-start" },
          { text: "部署（英文）", link: "/docs/deploy" },
          { text: "配置项（英文）", link: "/docs/configuration" },
        ],
        sidebar: [
          {
            text: "中文文档",
            items: [
              { text: "简介", link: "/zh/" },
              { text: "快速入门", link: "/zh/quick-start" },
              { text: "术语与常见问题", link: "/zh/terms" },
            ],
          },
          { text: "英文文档", items: SIDEBAR.flatMap(({ items }) => items) },
        ],
      },
    },
  },
});
