/** The theme of the documentation's site: that of VitePress, with the rules for the diagrams. */
import DefaultTheme from "vitepress/theme";
import "./site.css";

export default DefaultTheme;
