// As in the bundle: screens are drawn on terminals only, where every frame is wanted.
export default false;
