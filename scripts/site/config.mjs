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

export default defineConfig({
  title: "CrossBorderBridge",
  lang: "en",
  markdown: { anchor: { slugify } },
  themeConfig: {
    search: { provider: "local" },
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
