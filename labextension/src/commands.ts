/** The commands that the extension adds. */
export const CommandIDs = {
  openChat: 'llm:open-chat',
  openChatInMain: 'llm:open-chat-in-main',
  newChat: 'llm:new-chat',
  openModels: 'llm:open-models',
  cellMenu: 'llm:cell-menu',
  explain: 'llm:explain-cell',
  fix: 'llm:fix-error',
  refactor: 'llm:refactor-cell',
  comment: 'llm:comment-cell',
  test: 'llm:test-cell',
  toggleGhostText: 'llm:toggle-ghost-text'
} as const;
