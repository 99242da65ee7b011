/* Words that stand on more than one page. */
export const APP = "户政网办";
export const W = {
  saved: "已保存",
  offline: "没有网络，填的内容已存在手机上",
  slow: "网络较慢，还在加载",
  retry: "重试",
  expired: "登录已过期，您填的内容还在",
  confirming: "正在确认是否已提交…",
  sending: "正在加密提交，请不要关闭",
  draftLife: "草稿只存在这台设备上，30 天后自动删除",
  faceFailed: "刷脸没通过，可稍后再试，或带身份证到窗口核验，填好的内容保留",
  toWindow: "不方便刷脸？带身份证到派出所窗口办，也可以先打电话问清楚",
  privacy: "为保护您的隐私，提交后这里不再保留申请内容和照片",
} as const;
