import './base.css';
import './controls.css';
import './library.css';
import './chat.css';
import './notebook.css';
